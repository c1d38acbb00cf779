// One side of the A/B player: a video element that shows a frame by its number, and knows which frame it shows.
//
// A frame is sought by the middle of its time, and believed only once requestVideoFrameCallback says that the picture which is
// presented is that frame's; until then the seek is repeated at another place within the frame.
const PLACES = [0.5, 0.35, 0.65, 0.2, 0.8];
const PATIENCE_MS = 400;
const LIMIT_MS = 15000;

// Times of the frames in seconds from the first: from `pts` (rising ticks as base64 of unsigned 32-bit steps) or evenly.
function frameTimes(side) {
  const times = new Float64Array(side.frames);
  const [rate, per] = side.fps.split('/').map(Number);
  if (!side.pts) return times.map((_, frame) => (frame * (per || 1)) / rate);
  const bytes = Uint8Array.from(atob(side.pts.steps), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  let ticks = 0;
  for (let frame = 1; frame < side.frames; frame++) {
    ticks += view.getUint32(4 * (frame - 1), true);
    times[frame] = ticks / side.pts.timescale;
  }
  return times;
}

class Side extends EventTarget {
  constructor(video) {
    super();
    this.video = video;
    this.shown = null;
    this.fresh = false; // a picture was presented since the last seek began
    this.moved = false; // it played since the last seek: what is presented may be ahead of what we were told
    this.failed = '';
    video.muted = true;
    video.playsInline = true;
    video.preload = 'auto';
    const seen = (_, { mediaTime }) => {
      this.#seen(mediaTime);
      video.requestVideoFrameCallback(seen);
    };
    video.requestVideoFrameCallback(seen);
    video.addEventListener('error', () => { if (this.about) this.failed = why(video, this.about); });
    video.addEventListener('play', () => { this.moved = true; });
    for (const name of ['seeked', 'error', 'ended', 'pause']) {
      video.addEventListener(name, () => this.dispatchEvent(new Event(name)));
    }
  }

  // Media time of a picture -> number of the frame; the first picture of a file says where its clock starts.
  #seen(mediaTime) {
    if (!this.about) return;
    this.origin ??= mediaTime - this.times[0];
    this.shown = this.nearest(mediaTime - this.origin);
    this.fresh = true;
    this.dispatchEvent(new Event('picture'));
  }

  nearest(seconds) {
    let low = 0;
    let high = this.times.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.times[middle] + this.times[middle + 1]) / 2 < seconds) low = middle + 1; else high = middle;
    }
    return low;
  }

  // Open another video; resolves when its first picture is there, rejects where it cannot be played.
  async load(about) {
    this.about = null;
    this.video.pause();
    this.failed = '';
    this.shown = null;
    this.origin = undefined;
    this.times = frameTimes(about);
    this.about = about;
    this.video.src = about.url;
    this.video.load();
    const first = () => this.shown !== null || this.failed;
    await this.#until(first, ['picture', 'error'], LIMIT_MS);
    if (this.about !== about) return;
    if (this.shown === null) throw new Error(this.failed || `${about.url} does not load`);
  }

  length(frame) {
    const last = this.times.length - 1;
    if (frame < last) return this.times[frame + 1] - this.times[frame];
    return last > 0 ? this.times[last] - this.times[last - 1] : 0.04;
  }

  // Seconds of the media clock within a frame: 0 at its beginning, 1 at its end.
  within(frame, place) {
    return this.origin + this.times[frame] + place * this.length(frame);
  }

  // Seconds since the first frame, while playing.
  get clock() {
    return this.video.currentTime - this.origin;
  }

  // Show a frame; resolves to the frame that is shown, which is another one only where the browser refuses to show this one.
  async seek(wanted) {
    const about = this.about;
    const frame = Math.min(Math.max(wanted, 0), this.times.length - 1);
    const there = () => !this.video.seeking && this.fresh && this.shown === frame;
    if (there() && !this.moved) return frame;
    for (const place of PLACES) {
      this.fresh = false;
      this.moved = false;
      this.video.currentTime = this.within(frame, place);
      await this.#until(() => !this.video.seeking, ['seeked', 'error'], LIMIT_MS);
      await this.#until(there, ['picture', 'seeked', 'error'], PATIENCE_MS);
      if (this.about !== about) return null;
      if (there()) return frame;
    }
    return this.shown;
  }

  #until(condition, events, limit) {
    return new Promise((resolve) => {
      let timer = 0;
      const check = () => {
        if (condition()) end();
      };
      const end = () => {
        clearTimeout(timer);
        for (const name of events) this.removeEventListener(name, check);
        resolve();
      };
      for (const name of events) this.addEventListener(name, check);
      timer = setTimeout(end, limit);
      check();
    });
  }
}

function why(video, about) {
  const playable = video.canPlayType(`video/mp4; codecs="${about.codec}"`);
  if (about.codec && !playable) return `This browser does not play ${about.codec}.`;
  return `${about.url} cannot be loaded. The videos lie in the folder of this page: keep them beside it.`;
}
