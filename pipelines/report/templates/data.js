// What the page draws from: scores per frame of every rung, frame times, shots.
document.documentElement.classList.add('js');
const data = JSON.parse(document.getElementById('data').textContent);
const unpack = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;

const times = data.times
  ? new Float32Array(unpack(data.times))
  : Float64Array.from({ length: data.frames }, (_, frame) => frame * data.step);
const rungs = data.rungs.map((rung, place) => ({
  place,
  name: rung.name,
  rates: rung.rates,
  scores: Float32Array.from(new Uint16Array(unpack(rung.vmaf)), (value) => value / 500),
}));
const starts = data.shots.map(([start]) => start);

// The last place in a rising list whose value is not above `value`.
function placeOf(list, value) {
  let low = 0;
  let high = list.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (list[middle] <= value) low = middle; else high = middle - 1;
  }
  return low;
}
const frameAt = (seconds) => placeOf(times, seconds + 1e-6);
const shotOf = (frame) => placeOf(starts, frame);
const endOf = (frame) => (frame + 1 < data.frames ? times[frame + 1] : data.duration);

function clock(seconds) {
  const tenths = Math.round(seconds * 10);
  const [minutes, rest] = [Math.floor(tenths / 600), (tenths % 600) / 10];
  const tail = rest.toFixed(1).padStart(4, '0');
  const hours = Math.floor(minutes / 60);
  return hours ? `${hours}:${String(minutes % 60).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`;
}
const heat = (score) => `${Math.round(100 * Math.min(Math.max((score - 60) / 35, 0), 1))}%`;
