// What the conformance stage asks of a player in a page. `cinema` is the same for hls.js and for Shaka Player.
'use strict';
const video = document.getElementById('video');
const trouble = [];  // everything that any part complained about
const shown = [];    // media time of every picture that was presented and told of
const counts = [];   // how many pictures had been presented then, also untold ones: under load a browser skips telling, not showing
const breaks = [];   // how many had been presented when somebody sought: we, or a player that wants to go on
let stalls = 0;      // times that the machine was too slow, with enough in the buffer
let loudest = 0, analyser = null, library = null;

const complain = (what) => { if (trouble.length < 50) trouble.push(String(what)); };
video.addEventListener('error', () => complain(`media error ${video.error.code}: ${video.error.message}`));
window.addEventListener('error', (event) => complain(`script: ${event.message}`));
window.addEventListener('unhandledrejection', (event) => complain(`promise: ${event.reason}`));
video.addEventListener('seeking', () => breaks.push(shown.length));
const onFrame = (_, facts) => {
  shown.push(facts.mediaTime);
  counts.push(facts.presentedFrames);
  video.requestVideoFrameCallback(onFrame);
};
video.requestVideoFrameCallback(onFrame);

const once = (target, name, ms) => new Promise((resolve, reject) => {
  const timer = setTimeout(() => reject(new Error(`no ${name} within ${ms} ms`)), ms);
  target.addEventListener(name, () => { clearTimeout(timer); resolve(); }, { once: true });
});
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function until(condition, ms, what) {
  for (const end = performance.now() + ms; performance.now() < end; await sleep(20)) if (condition()) return;
  throw new Error(`${what} not within ${ms} ms`);
}
const base64url = (hex) => btoa(String.fromCharCode(...hex.match(/../g).map((pair) => parseInt(pair, 16))))
  .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

// hls.js; keys come from the licence server of the page's own origin.
function withHls(order) {
  const config = { enableWorker: false, startPosition: 0, backBufferLength: Infinity };
  if (order.protected) {
    // The playlist names the key id; hls.js asks for a licence by it as soon as it loads an encrypted segment.
    const generateRequest = (kind, data, { decryptdata }) => {
      const kids = [base64url([...decryptdata.keyId].map((byte) => byte.toString(16).padStart(2, '0')).join(''))];
      return { initDataType: 'keyids', initData: new TextEncoder().encode(JSON.stringify({ kids })).buffer };
    };
    Object.assign(config, { emeEnabled: true, drmSystems: { 'org.w3.clearkey': { licenseUrl: order.license, generateRequest } } });
  }
  const hls = new Hls(config);
  hls.on(Hls.Events.ERROR, (_, data) => {
    if (!data.fatal && data.details === 'bufferStalledError' && data.buffer > 1) stalls += 1;
    else complain(`hls.js ${data.fatal ? 'fatal' : 'passing'} ${data.type} ${data.details} ${data.error ?? ''}`);
  });
  const ready = new Promise((resolve) => hls.on(Hls.Events.MANIFEST_PARSED, resolve));
  hls.loadSource(order.url);
  hls.attachMedia(video);
  const level = (rung) => hls.levels.findIndex((found) => found.url.some((url) => url.includes(`/${rung}/`)));
  return {
    ready,
    rungs: () => hls.levels.map((found) => ({ width: found.width, height: found.height, bandwidth: found.bitrate, codecs: found.attrs.CODECS })),
    pick: async (rung) => {
      const wanted = level(rung);
      if (wanted < 0) throw new Error(`hls.js lists no ${rung}`);
      hls.startLevel = wanted;
      hls.currentLevel = wanted;
      await until(() => hls.currentLevel === wanted, 20000, `rung ${rung}`);
    },
    smooth: async (rung) => { hls.nextLevel = level(rung); },
    audios: () => hls.allAudioTracks.map((track) => track.lang ?? ''),
    texts: () => hls.allSubtitleTracks.map((track) => track.lang ?? ''),
    showText: async (place) => { hls.subtitleDisplay = true; hls.subtitleTrack = place; },
  };
}

// Shaka Player; the keys are given to it, as an application would.
function withShaka(order) {
  shaka.polyfill.installAll();
  const player = new shaka.Player();
  player.addEventListener('error', (event) => complain(`shaka ${event.detail.code} ${event.detail.message}`));
  player.configure({ abr: { enabled: false }, streaming: { bufferBehind: 600, rebufferingGoal: 0.5 } });
  // Left to itself, it drops the rungs of all codecs but the one it likes best at a size.
  player.configure({ preferredVideo: [{ codec: order.codec }] });
  if (order.protected) player.configure({ drm: { clearKeys: order.keys }, manifest: { ignoreDrmInfo: true } });
  const ready = player.attach(video).then(() => player.load(order.url))
    .catch((error) => { complain(`shaka ${error.code} ${error.message}`); throw error; });
  const track = (rung) => player.getVariantTracks()
    .find((found) => `${found.originalVideoId}`.includes(rung) || found.videoId === order.ids?.[rung] || found.originalVideoId === order.ids?.[rung]);
  return {
    ready,
    rungs: () => player.getVariantTracks().map((found) => ({ width: found.width, height: found.height, bandwidth: found.videoBandwidth, codecs: found.codecs, id: found.originalVideoId })),
    pick: async (rung) => {
      const wanted = track(rung);
      if (!wanted) throw new Error(`Shaka Player lists no ${rung}`);
      player.selectVariantTrack(wanted, true);
    },
    smooth: async (rung) => { player.selectVariantTrack(track(rung), true, 1); },
    audios: () => player.getAudioTracks().map((found) => found.language),
    texts: () => player.getTextTracks().map((found) => found.language),
    showText: async (place) => { player.selectTextTrack(player.getTextTracks()[place]); await player.setTextVisibility?.(true); },
    images: () => player.getImageTracks().length,
    image: async (time) => {
      const found = await player.getThumbnails(player.getImageTracks()[0].id, time);
      return found && { uri: found.uris[0], x: found.positionX, y: found.positionY, width: found.width, height: found.height, startTime: found.startTime };
    },
  };
}

function listen() {
  const audio = new AudioContext();
  analyser = audio.createAnalyser();
  audio.createMediaElementSource(video).connect(analyser);
  analyser.connect(audio.destination);
  const samples = new Float32Array(analyser.fftSize);
  setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    loudest = Math.max(loudest, ...samples.map(Math.abs));
  }, 20);
}

const ranges = () => [...Array(video.buffered.length).keys()].map((n) => [video.buffered.start(n), video.buffered.end(n)]);

window.cinema = {
  start: async (order) => {
    library = (order.player === 'hls.js' ? withHls : withShaka)(order);
    await Promise.race([library.ready, sleep(30000).then(() => { throw new Error('the manifest was not loaded within 30 s'); })]);
    if (order.rung) await library.pick(order.rung);
    if (order.listen) listen();
    await until(() => video.readyState >= 2 || video.error || trouble.length, 30000, 'the first picture');
    return window.cinema.state();
  },
  state: () => ({
    time: video.currentTime, duration: video.duration, ended: video.ended, paused: video.paused, ready: video.readyState,
    width: video.videoWidth, height: video.videoHeight, buffered: ranges(), shown: shown.length, stalls, loudest,
    audioBytes: video.webkitAudioDecodedByteCount || (video.mozHasAudio || video.audioTracks?.length ? -1 : 0), trouble,
    dropped: video.getVideoPlaybackQuality().droppedVideoFrames, total: video.getVideoPlaybackQuality().totalVideoFrames,
  }),
  play: async (rate) => {
    video.playbackRate = rate;
    await Promise.race([video.play(), sleep(20000).then(() => { throw new Error('play did not begin within 20 s'); })]);
  },
  pause: () => video.pause(),
  shownTimes: () => shown,
  breaks: () => breaks,
  rungs: () => library.rungs(),
  pick: (rung) => library.pick(rung),
  smooth: (rung) => library.smooth(rung),
  audios: () => library.audios(),
  texts: () => library.texts(),
  images: () => (library.images ? library.images() : 0),
  image: (time) => library.image(time),
  // Text of the cues that the player shows at a time, after it was told to show a track; hls.js keeps captions of pictures hidden.
  cues: async (place, time) => {
    await library.showText(place);
    await window.cinema.seek(time);
    const active = () => [...video.textTracks].flatMap((track) => (track.mode === 'showing' ? [...(track.activeCues ?? [])] : []));
    await until(() => active().length > 0, 8000, 'a cue').catch(() => {});
    return active().map((cue) => cue.text);
  },
  // Play from one time to another; resolves to [media time, pictures presented] of what was told on the way.
  watch: async (from, to, rate) => {
    await window.cinema.seek(from);
    // Pictures of before are told of late when the machine is busy: begin with the one that was gone to.
    let first = shown.length;
    for (let place = first - 1; place >= (breaks.at(-1) ?? 0); place -= 1) if (shown[place] <= from && shown[place] > from - 0.2) first = place;
    await window.cinema.play(rate);
    const long = 15000 + 4000 * (to - from) / rate;
    await until(() => video.currentTime >= to || video.ended || video.error, long, `the picture of ${to} s`);
    video.pause();
    await sleep(150);
    return shown.slice(first).map((time, place) => [time, counts[first + place]]);
  },
  // Go to a time, paused; resolves to the media time of the picture that is then shown.
  seek: async (time) => {
    video.pause();
    const seeked = once(video, 'seeked', 20000);
    const before = shown.length;
    video.currentTime = time;
    await seeked;
    await until(() => shown.length > before, 1500, 'a picture').catch(() => {});
    await sleep(60);
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    return shown.at(-1) ?? null;
  },
};
