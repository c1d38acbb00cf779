// What the run cost, from the file that it wrote beside this page; without it there is nothing to say.
const cost = globalThis.cinemillCost;
if (cost?.nodes?.length) {
  const section = document.getElementById('cost');
  const body = section.querySelector('tbody');
  const cell = (row, text, classes = 'n') => { make('td', {}, row, classes).textContent = text; };
  const most = Math.max(...cost.nodes.map((node) => node.cpu_s), 0.001);
  const line = (name, seconds, tries, reused) => {
    const row = make('tr', {}, body);
    const head = make('th', {}, row);
    head.scope = 'row';
    head.textContent = name;
    cell(row, seconds.toFixed(1));
    const share = make('td', {}, row, 'share');
    make('i', { width: `${(100 * Math.min(seconds, most)) / most}%` }, share);
    cell(row, tries);
    cell(row, reused || '\u2013');
    return row;
  };
  const sum = (name) => cost.nodes.reduce((total, node) => total + node[name], 0);
  for (const node of cost.nodes) line(node.node, node.cpu_s, node.tries, node.reused);
  line('All', cost.cpu_s, sum('tries'), sum('reused')).classList.add('total');
  section.hidden = false;
}
