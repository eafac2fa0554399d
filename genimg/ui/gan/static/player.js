// Plays and scrubs a walk without asking the server: all frames came as one picture.
// value: {sheet, columns, frames, width, height, framesPerSecond, caption: words, keyframes, seeds,
// walk, label: words for its class, query} and, of a walk that was asked for, {asked}, when. Comes
// after helpers.js.
// The first walk plays once by itself, when it comes into sight; a new one plays and says in what it
// differs from the one before.
const canvas = element.querySelector('canvas');
const scrubber = element.querySelector('input');
const playButton = element.querySelector('.play');
const counter = element.querySelector('output');
const keyframes = element.querySelector('.keyframes');
const status = element.querySelector('[role=status]');
const sheet = new Image();
const calm = matchMedia('(prefers-reduced-motion: reduce)');
const NAMES = [
  ...['checkpoint', 'label', 'seeds', 'steps', 'mode', 'space', 'truncation', 'directions', 'latents'],
  'loop',
];
const DEFAULTS = { label: null, truncation: 1, directions: [], latents: {} };
let playing = null; // the pending animation frame, or null
let before = null; // the walk that was here last

function draw(target, frame) {
  const { width, height, columns } = props.value;
  const left = (frame % columns) * width;
  const top = Math.floor(frame / columns) * height;
  target.getContext('2d').drawImage(sheet, left, top, width, height, 0, 0, width, height);
}

function show(frame) {
  scrubber.value = frame;
  explain();
  counter.textContent = `${frame + 1} / ${props.value.frames}`;
  draw(canvas, frame);
}

function explain() {
  const [number, count] = [Number(scrubber.value) + 1, props.value.frames];
  scrubber.setAttribute('aria-valuetext', say('gan.player.picture', { number, count }));
}

function stop() {
  cancelAnimationFrame(playing);
  playing = null;
  put(playButton, 'gan.player.play');
}

function play(rounds = Infinity) {
  const { frames, framesPerSecond } = props.value;
  const first = Number(scrubber.value) % (frames - 1 || 1);
  const started = performance.now();
  put(playButton, 'gan.player.pause');
  const step = (now) => {
    const passed = Math.floor((Math.max(0, now - started) / 1000) * framesPerSecond);
    if (passed >= rounds * frames) { stop(); show(first); return; }
    show((first + passed) % frames);
    playing = requestAnimationFrame(step);
  };
  playing = requestAnimationFrame(step);
}

function showKeyframes() {
  const { width, height, seeds } = props.value;
  const buttons = props.value.keyframes.map((frame, i) => {
    const button = document.createElement('button');
    const thumbnail = document.createElement('canvas');
    button.type = 'button';
    for (const name of ['title', 'aria-label']) {
      putOn(button, name, 'gan.player.go', { seed: String(seeds[i]) });
    }
    [thumbnail.width, thumbnail.height] = [width, height];
    draw(thumbnail, frame);
    const label = document.createElement('span');
    label.textContent = seeds[i];
    button.append(thumbnail, label);
    button.addEventListener('click', () => { stop(); show(frame); });
    return button;
  });
  keyframes.replaceChildren(...buttons);
}

// A value as words.
function spell(value) {
  const none = { say: 'gan.player.none' };
  if (value === true || value === false) return { say: value ? 'gan.player.yes' : 'gan.player.no' };
  if (Array.isArray(value)) return value.length ? value.map(String) : none;
  if (typeof value !== 'object') return String(value);
  const all = Object.entries(value ?? {}).map(([dimension, amount]) => (
    { say: 'gan.player.latent', dimension, amount: String(amount) }));
  return all.length ? all : none;
}

// In what this walk differs from the one before, in words. That of a link, or of a reload, was not
// asked for now: nobody here knows the one before it.
function news() {
  if (!before || !props.value.asked) return '';
  const now = { ...DEFAULTS, ...props.value.walk };
  const changed = NAMES.filter((name) => JSON.stringify(now[name]) !== JSON.stringify(before[name]));
  if (!changed.length) return 'gan.player.same';
  const changes = changed.map((name) => ({
    say: 'gan.player.changed',
    name: { say: `gan.player.name.${name}` },
    now: name === 'label' ? props.value.label : spell(now[name]),
    before: name === 'label' ? before.called : spell(before[name]),
  })).reduce((first, second) => ({ say: 'gan.player.changes', first, second }));
  return { say: 'gan.player.news', changes };
}

async function load(isNew) {
  if (!props.value) return;
  stop();
  sheet.src = props.value.sheet;
  try {
    await sheet.decode();
  } catch {
    return; // a newer walk has taken its place
  }
  [canvas.width, canvas.height] = [props.value.width, props.value.height];
  scrubber.max = props.value.frames - 1;
  put(status, isNew ? news() : '');
  before = { ...DEFAULTS, ...props.value.walk, called: props.value.label };
  if (isNew) writeAddress(['walk', 'between', 'path', 'space', 'return'], props.value.query);
  put(element.querySelector('.caption'), props.value.caption);
  showKeyframes();
  show(0);
  if (isNew && !calm.matches) play();
}

function playOnceInSight() {
  const watcher = new IntersectionObserver(([{ isIntersecting }]) => {
    if (!isIntersecting || !sheet.complete || calm.matches) return;
    watcher.disconnect();
    if (playing === null && Number(scrubber.value) === 0) play(1);
  }, { threshold: 0.9 });
  watcher.observe(canvas);
}

function save(format) {
  const ask = () => server.export_walk({ walk: props.value.walk, format });
  return downloadFrom(ask, status, 'gan.player.making');
}

playButton.addEventListener('click', () => (playing === null ? play() : stop()));
scrubber.addEventListener('input', () => { stop(); show(Number(scrubber.value)); });
for (const button of element.querySelectorAll('[data-format]')) {
  button.addEventListener('click', () => save(button.dataset.format));
}
document.addEventListener('reworded', () => { if (props.value) explain(); });
load(false).then(playOnceInSight);
watch('value', () => load(true));
