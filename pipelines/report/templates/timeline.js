// The timeline: film strip, quality and bit rate over one axis of time, with a cursor and zoom.
const timeline = document.getElementById('timeline');
const strip = document.getElementById('strip');
const readout = document.getElementById('readout');
const wholeButton = document.getElementById('whole');
const [quality, rate] = ['quality-plot', 'rate-plot'].map((id) => {
  const figure = document.getElementById(id);
  return { field: figure.querySelector('.field'), svg: figure.querySelector('svg'), x: figure.querySelector('.x'), y: figure.querySelector('.y') };
});
const state = { view: { from: 0, to: data.duration }, cursor: null, shown: new Set(rungs.keys()), about: 0, fromZero: false };
const MIN_FRAMES = 8;

const make = (name, style, parent, classes = '') => {
  const element = parent.appendChild(document.createElement(name));
  element.className = classes;
  Object.assign(element.style, style);
  return element;
};
const cursors = [quality, rate].map(({ field }) => make('div', { display: 'none' }, field, 'cursor'));
const dots = rungs.map((rung) => make('div', { display: 'none' }, quality.field, `dot rung-${rung.place % 8}`));
const rateAxis = { low: 0, high: roundStep((Math.max(...rungs.flatMap((rung) => rung.rates), 1) * 1.05) / 4) * 4 };

function qualityAxis() {
  let lowest = 100;
  for (const place of state.shown) for (const score of rungs[place].scores) lowest = Math.min(lowest, score);
  return state.fromZero ? { low: 0, high: 100 } : scoreAxis(lowest);
}

state.axis = qualityAxis();

function labels(plot, axis, count) {
  const marks = ticks(axis, count);
  plot.y.replaceChildren();
  for (const mark of marks) make('span', { bottom: `${mark.place * 100}%` }, plot.y).textContent = mark.label;
  plot.svg.querySelector('.grid').innerHTML = marks.map((mark) => `<path d="M0,${((1 - mark.place) * 100).toFixed(2)}H1000"/>`).join('');
  plot.x.replaceChildren();
  for (const mark of timeTicks(state.view, 8)) make('span', { left: `${mark.place * 100}%` }, plot.x).textContent = mark.label;
}

function draw() {
  const { view } = state;
  state.axis = qualityAxis();
  labels(quality, state.axis, 5);
  labels(rate, rateAxis, 2);
  for (const rung of rungs) {
    const lines = [quality, rate].map(({ svg }) => svg.querySelector(`.curve[data-rung="${rung.place}"]`));
    for (const line of lines) line.classList.toggle('off', !state.shown.has(rung.place));
    lines[0].setAttribute('d', scorePath(rung, view, state.axis));
    lines[1].setAttribute('d', ratePath(rung, view, rateAxis));
  }
  quality.svg.querySelector('.cuts').innerHTML = starts.slice(1).map((start) => across(times[start], view))
    .filter((x) => x >= 0 && x <= 1000).map((x) => `<path d="M${x.toFixed(2)},0V100"/>`).join('');
  [...strip.children].forEach((block, shot) => {
    const [from, to] = [times[data.shots[shot][0]], endOf(data.shots[shot][1] - 1)].map((seconds) => across(seconds, view) / 10);
    block.style.left = `${from}%`;
    block.style.width = `${to - from}%`;
  });
  placeMarks();
  wholeButton.disabled = view.from === 0 && view.to === data.duration;
  point();
}

function point() {
  const frame = state.cursor;
  const x = frame === null ? -1 : across(times[frame], state.view) / 10;
  const inside = x >= 0 && x <= 100;
  for (const cursor of cursors) Object.assign(cursor.style, { display: inside ? '' : 'none', left: `${x}%` });
  dots.forEach((dot, place) => {
    const visible = inside && state.shown.has(place);
    Object.assign(dot.style, { display: visible ? '' : 'none', left: `${x}%`, bottom: visible ? `${100 - down(rungs[place].scores[frame], state.axis)}%` : '' });
  });
  if (frame !== null) tell(frame);
}

function tell(frame) {
  readout.replaceChildren();
  make('b', {}, readout).textContent = `Frame ${frame}`;
  make('span', {}, readout, 'when').textContent = ` at ${clock(times[frame])}, shot ${shotOf(frame) + 1}`;
  const said = [];
  for (const rung of rungs.filter(({ place }) => state.shown.has(place))) {
    const value = make('span', {}, readout, `value rung-${rung.place % 8}`);
    make('span', {}, value, `key rung-${rung.place % 8}`);
    value.append(`${rung.name} `);
    make('b', {}, value).textContent = rung.scores[frame].toFixed(1);
    said.push(`${rung.name} ${rung.scores[frame].toFixed(1)}`);
  }
  quality.field.setAttribute('aria-valuenow', frame);
  quality.field.setAttribute('aria-valuetext', `frame ${frame}, shot ${shotOf(frame) + 1}: ${said.join(', ')}`);
}

function zoom(from, to) {
  const least = Math.min(data.duration, MIN_FRAMES * data.step);
  const span = Math.min(Math.max(to - from, least), data.duration);
  const start = Math.min(Math.max((from + to - span) / 2, 0), data.duration - span);
  state.view = { from: start, to: start + span };
  draw();
}

// Put the cursor on a frame; the view follows where it would be outside.
function goTo(frame) {
  state.cursor = Math.min(Math.max(frame, 0), data.frames - 1);
  const { from, to } = state.view;
  const seconds = times[state.cursor];
  if (seconds < from || seconds > to) zoom(seconds - (to - from) / 2, seconds + (to - from) / 2); else point();
}

function showShot(shot) {
  const [start, end] = data.shots[shot];
  const [from, to] = [times[start], endOf(end - 1)];
  state.cursor = start;
  zoom(from - (to - from) * 0.15, to + (to - from) * 0.15);
}

const secondsAt = (event, field) => {
  const box = field.getBoundingClientRect();
  const part = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
  return state.view.from + part * (state.view.to - state.view.from);
};
for (const { field } of [quality, rate]) {
  let brush = null;
  let begun = 0;
  field.addEventListener('pointerdown', (event) => {
    if (event.button) return;
    field.setPointerCapture(event.pointerId);
    begun = secondsAt(event, field);
    brush = make('div', { left: 0, width: 0 }, field, 'brush');
  });
  field.addEventListener('pointermove', (event) => {
    const seconds = secondsAt(event, field);
    state.cursor = frameAt(seconds);
    point();
    if (brush) {
      const [from, to] = [begun, seconds].sort((one, other) => one - other).map((edge) => across(edge, state.view) / 10);
      Object.assign(brush.style, { left: `${from}%`, width: `${to - from}%` });
    }
  });
  field.addEventListener('pointerup', (event) => {
    if (!brush) return;
    brush.remove();
    brush = null;
    const [from, to] = [begun, secondsAt(event, field)].sort((one, other) => one - other);
    if (to - from > (state.view.to - state.view.from) / 100) zoom(from, to);
  });
  field.addEventListener('pointercancel', () => { brush?.remove(); brush = null; });
  field.addEventListener('dblclick', () => zoom(0, data.duration));
}

const nextShot = (frame, step) => {
  const shot = shotOf(frame);
  const wanted = step < 0 && frame > starts[shot] ? shot : shot + step;
  return starts[Math.min(Math.max(wanted, 0), starts.length - 1)];
};
const keys = {
  ArrowRight: (frame, event) => goTo(frame + (event.shiftKey ? 10 : 1)),
  ArrowLeft: (frame, event) => goTo(frame - (event.shiftKey ? 10 : 1)),
  PageDown: (frame) => goTo(nextShot(frame, 1)),
  PageUp: (frame) => goTo(nextShot(frame, -1)),
  Home: () => goTo(0),
  End: () => goTo(data.frames - 1),
  '+': (frame) => scale(frame, 0.5),
  '-': (frame) => scale(frame, 2),
  Enter: (frame) => compare(frame),
  0: () => zoom(0, data.duration),
  Escape: () => zoom(0, data.duration),
};
// Open the A/B player at a frame: the rung that shots and worst frames are about, against the source.
const compareButton = document.getElementById('compare');
function compare(frame) {
  if (!compareButton) return;
  const [left, right] = JSON.parse(compareButton.dataset.places)[state.about];
  document.getElementById('player').player.open({ frame, left, right });
}
compareButton?.addEventListener('click', () => compare(state.cursor ?? 0));
function scale(frame, factor) {
  const half = ((state.view.to - state.view.from) * factor) / 2;
  zoom(times[frame] - half, times[frame] + half);
}
Object.entries({ role: 'slider', tabindex: 0, 'aria-valuemin': 0, 'aria-valuemax': data.frames - 1, 'aria-valuenow': 0, 'aria-valuetext': 'no frame chosen' })
  .forEach(([name, value]) => quality.field.setAttribute(name, value));
quality.field.addEventListener('keydown', (event) => {
  const act = keys[event.key === '=' ? '+' : event.key];
  if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  act(state.cursor ?? 0, event);
});

document.querySelectorAll('#legend input[value]:not(#from-zero)').forEach((box) => box.addEventListener('change', () => {
  if (box.checked) state.shown.add(+box.value); else state.shown.delete(+box.value);
  draw();
}));
document.getElementById('from-zero').addEventListener('change', (event) => { state.fromZero = event.target.checked; draw(); });
wholeButton.addEventListener('click', () => zoom(0, data.duration));
document.querySelector('#legend .right').hidden = false;
