// Lines of the timeline for a part of the title, as pipelines/report/plot.py draws them for the whole.
const COLUMNS = 600;
const across = (seconds, view) => ((seconds - view.from) / (view.to - view.from)) * 1000;
const down = (value, axis) => (1 - Math.min(Math.max((value - axis.low) / (axis.high - axis.low), 0), 1)) * 100;

// Frames to draw from `first` to `last`: all, or the first, least, greatest and last of each column.
function* kept(scores, first, last) {
  const count = last - first + 1;
  if (count <= 2 * COLUMNS) {
    for (let frame = first; frame <= last; frame++) yield frame;
    return;
  }
  for (let column = 0; column < COLUMNS; column++) {
    const start = first + Math.floor((count * column) / COLUMNS);
    const end = first + Math.floor((count * (column + 1)) / COLUMNS);
    let [least, most] = [start, start];
    for (let frame = start; frame < end; frame++) {
      if (scores[frame] < scores[least]) least = frame;
      if (scores[frame] > scores[most]) most = frame;
    }
    yield* [...new Set([start, least, most, end - 1])].sort((one, other) => one - other);
  }
}

function scorePath(rung, view, axis) {
  const first = Math.max(0, frameAt(view.from) - 1);
  const last = Math.min(data.frames - 1, frameAt(view.to) + 1);
  const points = [];
  for (const frame of kept(rung.scores, first, last)) {
    points.push(`${across(times[frame], view).toFixed(2)},${down(rung.scores[frame], axis).toFixed(2)}`);
  }
  return `M${points.join(' ')}`;
}

function ratePath(rung, view, axis) {
  const points = rung.rates.flatMap((rate, place) => [place, place + 1].map((edge) => {
    const seconds = edge < rung.rates.length ? edge * data.rateStep : data.duration;
    return `${across(seconds, view).toFixed(2)},${down(rate, axis).toFixed(2)}`;
  }));
  return `M${points.join(' ')}`;
}

function roundStep(step) {
  const power = 10 ** Math.floor(Math.log10(Math.max(step, 1e-9)));
  return [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((value) => value >= step * (1 - 1e-9));
}

function ticks(axis, count) {
  const step = roundStep((axis.high - axis.low) / count);
  const marks = [];
  for (let mark = Math.ceil(axis.low / step - 1e-9); mark * step <= axis.high + 1e-9; mark++) {
    marks.push({ place: (mark * step - axis.low) / (axis.high - axis.low), label: String(+(mark * step).toPrecision(6)) });
  }
  return marks;
}

function timeTicks(view, count) {
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
  const span = view.to - view.from;
  const step = steps.find((value) => span / value <= count) ?? 7200;
  const marks = [];
  for (let mark = Math.ceil(view.from / step - 1e-9); mark * step <= view.to + 1e-9; mark++) {
    const label = clock(mark * step);
    marks.push({ place: (mark * step - view.from) / span, label: step < 1 ? label : label.slice(0, -2) });
  }
  return marks;
}

function scoreAxis(lowest) {
  return { low: Math.max(0, Math.min(90, 10 * Math.floor((lowest - 2) / 10))), high: 100 };
}
