// The page of a comparison: which rung is looked at, the cursor over the frames, light and dark.
const root = document.documentElement;
root.classList.add('js');
const data = JSON.parse(document.getElementById('data').textContent);
const unpack = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
const scoresOf = (text) => Float32Array.from(new Uint16Array(unpack(text)), (value) => value / 500);
// Sides of the player: A and B of the first rung, of the second, and so on.
const sides = JSON.parse(document.getElementById('ab-data').textContent).sides.map(({ vmaf }) => (vmaf ? scoresOf(vmaf) : null));
const times = data.times
  ? new Float32Array(unpack(data.times))
  : Float64Array.from({ length: data.frames }, (_, frame) => frame * data.step);
const second = Math.max(1, Math.round(1 / data.step));
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function placeOf(list, value) {
  let [low, high] = [0, list.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (list[middle] <= value) low = middle; else high = middle - 1;
  }
  return low;
}

function clock(seconds) {
  const tenths = Math.round(seconds * 10);
  const [minutes, rest] = [Math.floor(tenths / 600), (tenths % 600) / 10];
  const hours = Math.floor(minutes / 60);
  const tail = rest.toFixed(1).padStart(4, '0');
  return hours ? `${hours}:${String(minutes % 60).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`;
}

const signed = (value) => (Math.abs(value) < 0.05 ? '0.0' : `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)}`);

// One rung's charts: a cursor that follows the pointer or the arrow keys, and opens the player.
class Timeline {
  constructor(card) {
    this.place = +card.dataset.pair;
    [this.a, this.b] = [sides[2 * this.place], sides[2 * this.place + 1]];
    this.field = card.querySelector('[role="slider"]');
    this.readout = card.querySelector('.readout');
    this.plays = Boolean(document.querySelector(`[data-ab$=" ${2 * this.place + 1}"]`));
    this.cursors = [...card.querySelectorAll('.field')].map((field) => {
      const line = field.appendChild(document.createElement('div'));
      line.className = 'cursor';
      line.hidden = true;
      return line;
    });
    for (const field of card.querySelectorAll('.field')) {
      field.addEventListener('pointermove', (event) => this.show(this.at(event, field)));
      field.addEventListener('click', (event) => { this.show(this.at(event, field)); this.open(); });
    }
    this.field.addEventListener('focus', () => this.show(this.frame ?? 0));
    this.field.addEventListener('keydown', (event) => this.key(event));
  }

  at(event, field) {
    const { left, width } = field.getBoundingClientRect();
    return placeOf(times, clamp((event.clientX - left) / width, 0, 1) * data.duration + 1e-6);
  }

  show(frame) {
    this.frame = clamp(frame, 0, data.frames - 1);
    const [a, b] = [this.a[this.frame], this.b[this.frame]];
    for (const line of this.cursors) {
      line.hidden = false;
      line.style.left = `${(100 * times[this.frame]) / data.duration}%`;
    }
    const shot = placeOf(data.shots, this.frame) + 1;
    const words = `frame ${this.frame}, ${clock(times[this.frame])}, shot ${shot}: A ${a.toFixed(1)}, B ${b.toFixed(1)}, ${signed(b - a)}`;
    this.readout.textContent = words;
    this.field.setAttribute('aria-valuenow', this.frame);
    this.field.setAttribute('aria-valuetext', words);
  }

  open() {
    if (!this.plays) return;
    document.querySelector('.ab').player.open({ frame: this.frame, left: 2 * this.place, right: 2 * this.place + 1 });
  }

  key(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageDown: -second, PageUp: second, Home: -data.frames, End: data.frames };
    if (event.key === 'Enter') this.open();
    else if (event.key in steps) this.show((this.frame ?? 0) + steps[event.key]);
    else return;
    event.preventDefault();
  }
}
document.querySelectorAll('.timeline').forEach((card) => new Timeline(card));

// Which rung is looked at.
const choice = document.querySelector('.choice');
function choose(place) {
  document.querySelectorAll('.of-pair').forEach((part) => { part.hidden = part.dataset.pair !== place; });
}
if (choice) {
  choice.hidden = false;
  choice.addEventListener('change', (event) => choose(event.target.value));
  choose('0');
  addEventListener('beforeprint', () => document.querySelectorAll('.of-pair').forEach((part) => { part.hidden = false; }));
  addEventListener('afterprint', () => choose(choice.querySelector(':checked').value));
}
addEventListener('beforeprint', () => document.querySelectorAll('details').forEach((details) => { details.open = true; }));

const themeButton = document.getElementById('theme');
themeButton.hidden = false;
themeButton.addEventListener('click', () => {
  const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = dark ? 'light' : 'dark';
});
