// The A/B player as a whole: buttons, keys, what is said about the frame that is shown.
const $ = (root, selector) => root.querySelector(selector);

function unpackScores(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return Float32Array.from(new Uint16Array(bytes.buffer), (value) => value / 500);
}

function timecode(seconds) {
  const thousandths = Math.round(seconds * 1000);
  const [minutes, rest] = [Math.floor(thousandths / 60000), (thousandths % 60000) / 1000];
  const [hours, small] = [Math.floor(minutes / 60), minutes % 60];
  return `${hours ? `${hours}:${String(small).padStart(2, '0')}` : small}:${rest.toFixed(3).padStart(6, '0')}`;
}

class Player {
  constructor(root, about) {
    this.root = root;
    this.about = about;
    this.scores = about.sides.map((side) => (side.vmaf ? unpackScores(side.vmaf) : null));
    this.pair = new Pair(...root.querySelectorAll('video'));
    this.look = new Look(root);
    this.chosen = [null, null];
    this.seek = $(root, '.ab-seek');
    this.number = $(root, '.ab-number');
    this.#fill();
    this.#listen();
  }

  // Open at a frame; sides are places in the description's list. Resolves to the frames that are shown.
  async open({ frame = 0, left = 0, right = 1 } = {}) {
    if (this.root instanceof HTMLDialogElement && !this.root.open) this.root.showModal();
    $(this.root, '.ab-stage').focus({ preventScroll: true });
    await Promise.all([this.choose(0, left, false), this.choose(1, right, false)]);
    return this.pair.ready ? this.goTo(frame) : null;
  }

  close() {
    this.pair.pause();
    this.look.stop();
    this.root.close?.();
  }

  goTo(frame) {
    return this.pair.goTo(frame);
  }

  // Show another video on a side, at the same frame.
  async choose(place, side, stay = true) {
    const about = this.about.sides[side];
    this.selects[place].value = side;
    if (this.chosen[place] !== side) {
      this.chosen[place] = side;
      this.#tag(place, about.label);
      try {
        await this.pair.load(place, about);
      } catch (error) {
        this.chosen[place] = null;
        this.#tag(place, about.label, error.message);
        return;
      }
      this.seek.max = this.pair.ready ? this.pair.frames - 1 : about.frames - 1;
      this.number.max = this.seek.max;
    }
    if (stay && this.pair.ready) await this.goTo(this.pair.frame);
  }

  #tag(place, label, fault = '') {
    const pane = $(this.root, place ? '.ab-right' : '.ab-left');
    $(pane, '.ab-tag').textContent = label;
    $(pane, '.ab-fault').textContent = fault;
  }

  #fill() {
    this.selects = [...this.root.querySelectorAll('select')];
    this.selects.forEach((select, place) => {
      this.about.sides.forEach((side, index) => select.add(new Option(side.note ? `${side.label} (${side.note})` : side.label, index)));
      select.addEventListener('change', () => this.choose(place, +select.value));
    });
    for (const name of ['worst', 'shots']) {
      if (!this.about[name]?.length) this.root.querySelectorAll(`[data-needs="${name}"]`).forEach((button) => { button.hidden = true; });
    }
  }

  // The next or previous of some frames, seen from the one that is shown.
  #next(frames, step) {
    const sorted = [...new Set(frames)].sort((one, other) => one - other);
    const found = step > 0 ? sorted.find((frame) => frame > this.pair.frame) : sorted.findLast((frame) => frame < this.pair.frame);
    if (found !== undefined) this.goTo(found);
  }

  // Worst frames of what is shown; of all sides where neither of the two has any.
  #worst() {
    const own = this.about.worst.filter(({ side }) => this.chosen.includes(side));
    return (own.length ? own : this.about.worst).map(({ frame }) => frame);
  }

  #second(step) {
    const { times } = this.pair.sides[0];
    this.goTo(this.pair.sides[0].nearest(times[this.pair.frame] + step));
  }

  acts = {
    play: () => this.pair.play(),
    pause: () => this.pair.pause(),
    toggle: () => (this.pair.playing ? this.pair.pause() : this.pair.play()),
    forward: () => this.goTo(this.pair.frame + 1),
    back: () => this.goTo(this.pair.frame - 1),
    secondForward: () => this.#second(1),
    secondBack: () => this.#second(-1),
    first: () => this.goTo(0),
    last: () => this.goTo(this.pair.frames - 1),
    nextWorst: () => this.#next(this.#worst(), 1),
    previousWorst: () => this.#next(this.#worst(), -1),
    nextShot: () => this.#next(this.about.shots.map(([start]) => start), 1),
    previousShot: () => this.#next(this.about.shots.map(([start]) => start), -1),
    shiftLess: () => this.pair.shiftBy(-1),
    shiftMore: () => this.pair.shiftBy(1),
    shiftReset: () => this.pair.shiftBy(null),
    zoomIn: () => this.look.zoomBy(2),
    zoomOut: () => this.look.zoomBy(0.5),
    reset: () => this.look.reset(),
    panUp: () => this.look.panBy(0, -1),
    panDown: () => this.look.panBy(0, 1),
    panLeft: () => this.look.panBy(-1, 0),
    panRight: () => this.look.panBy(1, 0),
    leftOnly: () => this.show(this.look.view === 'left' ? 'split' : 'left'),
    rightOnly: () => this.show(this.look.view === 'right' ? 'split' : 'right'),
    nextView: () => this.show(VIEWS[(VIEWS.indexOf(this.look.view) + 1) % 3]),
    swap: () => { this.look.swap(); this.#marked(); },
    follow: () => { this.look.follows = !this.look.follows; },
    border: () => $(this.root, '.ab-stage').classList.toggle('ab-borderless'),
    fullscreen: () => (document.fullscreenElement ? document.exitFullscreen() : this.root.requestFullscreen()),
    help: () => { const help = $(this.root, '.ab-help'); help.hidden = !help.hidden; $(this.root, '[data-act="help"]').setAttribute('aria-expanded', !help.hidden); },
    close: () => this.close(),
  };

  show(view) {
    this.look.show(view);
    this.#marked();
  }

  #marked() {
    this.root.querySelectorAll('.ab-views input').forEach((input) => { input.checked = input.value === this.look.view; });
  }

  #listen() {
    const { root, pair } = this;
    root.querySelectorAll('[data-act]').forEach((button) => button.addEventListener('click', () => this.acts[button.dataset.act]()));
    root.querySelectorAll('.ab-views input').forEach((input) => input.addEventListener('change', () => this.show(input.value)));
    root.addEventListener('keydown', (event) => this.#key(event));
    root.addEventListener('cancel', (event) => {
      if ($(root, '.ab-help').hidden) return this.close();
      event.preventDefault();
      return this.acts.help();
    });
    root.addEventListener('close', () => { pair.pause(); this.look.stop(); });
    $(root, '.ab-stage').addEventListener('dblclick', () => this.look.reset());
    this.seek.addEventListener('input', () => this.goTo(+this.seek.value));
    this.number.addEventListener('change', () => this.goTo(+this.number.value));
    for (const name of ['moving', 'settled', 'playing', 'paused', 'loaded']) pair.addEventListener(name, () => this.#tell(name));
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const inside = event.target.closest('select, input[type="number"]');
    const onControl = event.target.closest('button, input, select, [role="slider"]');
    const act = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
    if (!act || inside) return;
    if (onControl && (event.key.startsWith('Arrow') || event.key.startsWith('Page') || [' ', 'Home', 'End'].includes(event.key))) return;
    event.preventDefault();
    this.acts[act]();
  }

  // What is seen: the frame, its time and shot, and the score of each side. Said aloud only once both sides stand still.
  #tell(reason) {
    if (!this.pair.ready) return;
    const { frame, frames, sides, shift } = this.pair;
    this.seek.value = frame;
    if (document.activeElement !== this.number) this.number.value = frame;
    const time = timecode(sides[0].times[Math.min(frame, sides[0].times.length - 1)]);
    this.seek.setAttribute('aria-valuetext', `frame ${frame}, ${time}`);
    const shot = this.about.shots ? this.about.shots.findLastIndex(([start]) => start <= frame) + 1 : 0;
    const words = [`Frame ${frame} of ${frames}`, time, ...(shot ? [`shot ${shot}`] : []), ...(shift ? [`right ${shift > 0 ? '+' : ''}${shift}`] : [])];
    $(this.root, '.ab-where').textContent = words.join(' · ');
    sides.forEach((side, place) => this.#score(side, place));
    $(this.root, '[data-act="toggle"]').textContent = this.pair.playing ? 'Pause' : 'Play';
    this.root.dataset.state = this.pair.playing ? 'playing' : reason === 'settled' ? 'still' : 'seeking';
    if (reason === 'settled') this.#said(words.join(', '));
  }

  #score(side, place) {
    const scores = this.scores[this.chosen[place]];
    const shown = side.shown ?? 0;
    $(this.root, place ? '.ab-right .ab-score' : '.ab-left .ab-score').textContent = scores ? `VMAF ${scores[shown].toFixed(1)}` : '';
  }

  #said(words) {
    const { pair } = this;
    const scores = pair.sides.map((side, place) => {
      const known = this.scores[this.chosen[place]];
      return known ? `${this.about.sides[this.chosen[place]].label} VMAF ${known[side.shown].toFixed(1)}` : '';
    }).filter(Boolean);
    const wrong = pair.exact ? [] : [`not exact: the browser shows frames ${pair.sides.map(({ shown }) => shown).join(' and ')}`];
    $(this.root, '.ab-fault-all').textContent = wrong.join('');
    $(this.root, '.ab-said').textContent = [words, ...scores, ...wrong].join(', ');
  }
}

// Vivict's keys, and ours for what it does not have.
const KEYS = {
  l: 'play', k: 'pause', ' ': 'toggle', '.': 'forward', ',': 'back', '/': 'secondForward', '-': 'secondForward', m: 'secondBack',
  f: 'fullscreen', t: 'follow', ']': 'leftOnly', '[': 'rightOnly', '<': 'shiftLess', '>': 'shiftMore', r: 'shiftReset',
  u: 'zoomIn', i: 'zoomOut', ArrowUp: 'panUp', ArrowDown: 'panDown', ArrowLeft: 'panLeft', ArrowRight: 'panRight', 0: 'reset', s: 'border',
  n: 'nextWorst', p: 'previousWorst', PageDown: 'nextShot', PageUp: 'previousShot', Home: 'first', End: 'last',
  v: 'nextView', x: 'swap', '?': 'help', h: 'help',
};

const dialog = document.querySelector('.ab');
dialog.player = new Player(dialog, JSON.parse(document.getElementById('ab-data').textContent));
document.addEventListener('click', (event) => {
  const link = event.target.closest('[data-ab]');
  if (!link) return;
  event.preventDefault();
  const [frame, left, right] = link.dataset.ab.split(' ').map(Number);
  dialog.player.open({ frame, left, right });
});
document.querySelectorAll('[data-ab][hidden]').forEach((link) => { link.hidden = false; });
