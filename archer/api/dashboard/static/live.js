// Keeps a page fresh: an event, or some seconds, and the parts marked `data-live` are taken anew from the server.
// Modules know no currentScript; the tag is found by its data.
const tag = document.querySelector('script[data-events]');
const every = 1000 * Number(tag.dataset.every);
const sign = document.getElementById('live');
let stream = null;
let place = 0;
let waiting = 0;
let busy = false;
let again = false;
let over = false;

function show(text, state) {
  if (!sign) return;
  sign.hidden = false;
  sign.dataset.state = state;
  if (sign.textContent !== text) sign.textContent = text;
}

// Elements that a user is in stay as they are; which details are open stays too.
function replace(old, fresh) {
  if (old.innerHTML === fresh.innerHTML || old.contains(document.activeElement) && document.activeElement.matches('input, select, textarea')) return;
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const mark = focused && (focused.id ? `#${CSS.escape(focused.id)}` : focused.getAttribute('href') && `a[href="${CSS.escape(focused.getAttribute('href'))}"]`);
  const left = [...old.querySelectorAll('.scroll')].map((box) => box.scrollLeft);
  old.replaceChildren(...fresh.childNodes);
  old.querySelectorAll('.scroll').forEach((box, index) => { box.scrollLeft = left[index] ?? 0; });
  if (mark) old.querySelector(mark)?.focus({ preventScroll: true });
}

async function refresh() {
  clearTimeout(waiting);
  waiting = 0;
  if (busy) { again = true; return; }
  busy = true;
  again = false;
  const began = performance.now();
  try {
    const answer = await fetch(location.href, { headers: { Accept: 'text/html' }, redirect: 'error' });
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      for (const old of document.querySelectorAll('[data-live]')) {
        const fresh = page.getElementById(old.id);
        if (fresh) replace(old, fresh);
      }
    }
  } catch { show('offline', 'lost'); }
  busy = false;
  const took = performance.now() - began;
  // Whatever a page costs, it is asked for a quarter of the time at most.
  if (over) { if (again) refresh(); } else waiting = setTimeout(refresh, again ? Math.max(400, 3 * took) : Math.max(every, 3 * took));
}

function soon() {
  if (busy) { again = true; return; }
  clearTimeout(waiting);
  waiting = setTimeout(refresh, 150);
}

function open() {
  if (stream || over) return;
  const address = new URL(tag.dataset.events, location.href);
  if (place) address.searchParams.set('after', place);
  stream = new EventSource(address);
  stream.onopen = () => show('live', 'open');
  stream.onerror = () => { if (!over) show(stream?.readyState === EventSource.CLOSED ? 'offline' : 'connecting', 'lost'); };
  stream.addEventListener('end', () => { over = true; close(); show('ended', 'ended'); again = true; refresh(); });
  for (const type of TYPES) stream.addEventListener(type, (event) => { place = Number(event.lastEventId) || place; soon(); });
}

function close() {
  stream?.close();
  stream = null;
}

const TYPES = [
  'job-submitted', 'job-claimed', 'job-asked', 'job-started', 'job-paused', 'job-continued', 'job-queued', 'job-running', 'job-done',
  'job-partial', 'job-failed', 'job-cancelled', 'job-interrupted', 'node-planned', 'node-done', 'memo-hit', 'task-started',
  'chunk-done', 'task-done', 'task-retry', 'task-failed', 'task-copied', 'task-dropped',
];

// A tab that nobody looks at holds no connection: browsers allow six to a server.
document.addEventListener('visibilitychange', () => {
  if (document.hidden) { close(); clearTimeout(waiting); } else { open(); refresh(); }
});
addEventListener('pagehide', close);
open();
waiting = setTimeout(refresh, every);
