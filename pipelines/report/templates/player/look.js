// How the two videos are laid over each other: split with a divider, flicker, side by side, one alone; zoom and pan.
const VIEWS = ['split', 'flicker', 'side', 'left', 'right'];
const MOST_ZOOM = 16;
const FLICKER_MS = 500; // two changes a second: below the three flashes that may harm (WCAG 2.3.1)

class Look {
  constructor(root) {
    this.stage = root.querySelector('.ab-stage');
    this.divider = root.querySelector('.ab-divider');
    this.videos = [...root.querySelectorAll('video')];
    this.view = 'split';
    this.split = 50;
    this.front = 0;
    this.follows = false;
    this.zoom = 1;
    this.pan = [0, 0];
    this.timer = 0;
    this.#pointers();
    this.show('split');
  }

  show(view) {
    this.view = view;
    clearInterval(this.timer);
    this.timer = 0;
    if (view === 'flicker' && !matchMedia('(prefers-reduced-motion: reduce)').matches) {
      this.timer = setInterval(() => this.swap(), FLICKER_MS);
    }
    this.draw();
  }

  stop() {
    clearInterval(this.timer);
  }

  // Change the side in front, in the flicker view or between the two single ones.
  swap() {
    if (this.view === 'left' || this.view === 'right') this.view = this.view === 'left' ? 'right' : 'left';
    else this.front = 1 - this.front;
    this.draw();
  }

  draw() {
    const { stage, divider } = this;
    stage.dataset.view = this.view;
    stage.dataset.front = this.view === 'left' ? 0 : this.view === 'right' ? 1 : this.front;
    stage.style.setProperty('--split', `${this.split}%`);
    divider.hidden = this.view !== 'split';
    divider.setAttribute('aria-valuenow', Math.round(this.split));
    divider.setAttribute('aria-valuetext', `${Math.round(this.split)} % of the width shows the left video`);
    for (const video of this.videos) {
      video.style.transform = this.zoom === 1 ? '' : `translate(${this.pan.map((part) => `${part}px`)}) scale(${this.zoom})`;
      video.style.imageRendering = this.zoom >= 4 ? 'pixelated' : '';
    }
  }

  divide(percent) {
    this.split = Math.min(Math.max(percent, 0), 100);
    this.draw();
  }

  // Zoom by a factor around a point of a video, measured in pixels from its middle.
  zoomBy(factor, [x, y] = [0, 0]) {
    const zoom = Math.min(Math.max(this.zoom * factor, 1), MOST_ZOOM);
    const change = zoom / this.zoom;
    this.zoom = zoom;
    this.panTo(x - (x - this.pan[0]) * change, y - (y - this.pan[1]) * change);
  }

  panTo(x, y) {
    const { clientWidth, clientHeight } = this.videos[0];
    const most = [clientWidth, clientHeight].map((length) => (length * (this.zoom - 1)) / 2);
    this.pan = [x, y].map((value, axis) => Math.min(Math.max(value, -most[axis]), most[axis]));
    this.draw();
  }

  panBy(across, down) {
    const step = 40;
    this.panTo(this.pan[0] - across * step, this.pan[1] - down * step);
  }

  reset() {
    this.zoom = 1;
    this.pan = [0, 0];
    this.draw();
  }

  #percentAt(event) {
    const box = this.stage.getBoundingClientRect();
    return (100 * (event.clientX - box.left)) / box.width;
  }

  #pointers() {
    const { stage, divider } = this;
    let held = null;
    divider.addEventListener('pointerdown', (event) => {
      divider.setPointerCapture(event.pointerId);
      held = 'divider';
      event.stopPropagation();
    });
    divider.addEventListener('pointermove', (event) => { if (held === 'divider') this.divide(this.#percentAt(event)); });
    stage.addEventListener('pointerdown', (event) => {
      if (event.button || this.zoom === 1) return;
      stage.setPointerCapture(event.pointerId);
      held = { from: [event.clientX, event.clientY], pan: [...this.pan] };
    });
    stage.addEventListener('pointermove', (event) => {
      if (held?.from) this.panTo(held.pan[0] + event.clientX - held.from[0], held.pan[1] + event.clientY - held.from[1]);
      else if (this.follows && this.view === 'split' && held === null) this.divide(this.#percentAt(event));
    });
    for (const name of ['pointerup', 'pointercancel']) stage.addEventListener(name, () => { held = null; });
    stage.addEventListener('wheel', (event) => {
      event.preventDefault();
      const pane = event.target.closest('.ab-pane') ?? this.videos[0].parentElement;
      const box = pane.getBoundingClientRect();
      const point = [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
      this.zoomBy(event.deltaY < 0 ? 1.25 : 0.8, point);
    }, { passive: false });
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageDown: -10, PageUp: 10 };
    divider.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key in steps) this.divide(this.split + steps[event.key] * (event.shiftKey ? 10 : 1));
      else if (event.key === 'Home' || event.key === 'End') this.divide(event.key === 'Home' ? 0 : 100);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }
}
