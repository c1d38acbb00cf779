// Both sides of the A/B player, kept on the same frame: stepping, jumping, playing together.
class Pair extends EventTarget {
  constructor(left, right) {
    super();
    this.sides = [new Side(left), new Side(right)];
    this.frame = 0;
    this.shift = 0;
    this.playing = false;
    this.#watch();
  }

  get ready() {
    return this.sides.every((side) => side.about && side.shown !== null);
  }

  get frames() {
    return Math.min(...this.sides.map((side) => side.about.frames));
  }

  // Frame that a side is to show: the right one may be shifted.
  wanted(place) {
    const frame = this.frame + (place ? this.shift : 0);
    return Math.min(Math.max(frame, 0), this.sides[place].about.frames - 1);
  }

  async load(place, about) {
    this.pause();
    await this.sides[place].load(about);
    this.dispatchEvent(new Event('loaded'));
  }

  // Show a frame on both sides; resolves to the frames shown. Calls that come while one is at work are taken together.
  goTo(frame) {
    if (this.playing) this.#stop();
    this.frame = Math.min(Math.max(frame, 0), this.frames - 1);
    this.#settling ??= this.#settle().finally(() => { this.#settling = null; });
    return this.#settling;
  }

  #settling = null;

  async #settle() {
    let [frame, shift, shown] = [null, null, []];
    while (frame !== this.frame || shift !== this.shift) {
      [frame, shift] = [this.frame, this.shift];
      this.dispatchEvent(new Event('moving'));
      shown = await Promise.all(this.sides.map((side, place) => side.seek(this.wanted(place))));
    }
    this.dispatchEvent(new Event('settled'));
    return shown;
  }

  get exact() {
    return this.sides.every((side, place) => side.shown === this.wanted(place));
  }

  shiftBy(frames) {
    this.shift = frames === null ? 0 : this.shift + frames;
    return this.goTo(this.frame);
  }

  async play() {
    if (this.playing || !this.ready) return;
    if (this.frame >= this.frames - 1) await this.goTo(0);
    this.playing = true;
    this.dispatchEvent(new Event('playing'));
    await Promise.all(this.sides.map((side) => side.video.play().catch(() => this.pause())));
  }

  pause() {
    if (!this.playing) return;
    this.#stop();
    this.goTo(this.sides[0].shown ?? this.frame);
  }

  #stop() {
    this.playing = false;
    for (const { video } of this.sides) {
      video.pause();
      video.playbackRate = 1;
    }
    this.dispatchEvent(new Event('paused'));
  }

  // While playing the left side leads; the right one runs a little faster or slower, or jumps where it is far off.
  #watch() {
    const [left, right] = this.sides;
    left.addEventListener('picture', () => {
      if (!this.playing) return;
      this.frame = left.shown;
      const drift = right.clock - left.clock - (right.times[this.wanted(1)] - left.times[this.frame]);
      if (Math.abs(drift) > 0.5) right.video.currentTime -= drift;
      else right.video.playbackRate = Math.abs(drift) < left.length(this.frame) / 4 ? 1 : 1 - Math.min(Math.max(drift, -0.1), 0.1);
      this.dispatchEvent(new Event('moving'));
    });
    for (const side of this.sides) side.addEventListener('ended', () => this.pause());
  }
}
