// Plays and scrubs a walk without asking the server: all frames came as one picture.
// value: {sheet, columns, frames, width, height, framesPerSecond, caption, keyframes, seeds, walk,
// query} and, of a walk that was asked for, {asked}, when. Comes after helpers.js.
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
const NAMES = {
  checkpoint: 'model', label: 'class', seeds: 'seeds', steps: 'pictures', mode: 'path', space: 'space',
  truncation: 'truncation', directions: 'directions', latents: 'raw dimensions', loop: 'return',
};
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
  scrubber.setAttribute('aria-valuetext', `picture ${frame + 1} of ${props.value.frames}`);
  counter.textContent = `${frame + 1} / ${props.value.frames}`;
  draw(canvas, frame);
}

function stop() {
  cancelAnimationFrame(playing);
  playing = null;
  playButton.textContent = 'Play';
}

function play(rounds = Infinity) {
  const { frames, framesPerSecond } = props.value;
  const first = Number(scrubber.value) % (frames - 1 || 1);
  const started = performance.now();
  playButton.textContent = 'Pause';
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
    button.title = button.ariaLabel = `Go to seed ${seeds[i]}`;
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

function spell(value) {
  if (value === true || value === false) return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.join(', ') || 'none';
  if (typeof value !== 'object') return String(value);
  return Object.entries(value ?? {}).map(([i, amount]) => `z ${i}: ${amount}`).join(', ') || 'none';
}

// In what this walk differs from the one before, in words. That of a link, or of a reload, was not
// asked for now: nobody here knows the one before it.
function news() {
  if (!before || !props.value.asked) return '';
  const now = { ...DEFAULTS, ...props.value.walk };
  const changed = Object.keys(NAMES).filter((name) => JSON.stringify(now[name]) !== JSON.stringify(before[name]));
  if (!changed.length) {
    return 'The same walk as before: change its seeds, the path or a slider, or take new seeds.';
  }
  return `Made anew: ${changed.map((name) => `${NAMES[name]} ${spell(now[name])}, was ${spell(before[name])}`).join('; ')}.`;
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
  status.textContent = isNew ? news() : '';
  before = { ...DEFAULTS, ...props.value.walk };
  if (isNew) writeAddress(['walk', 'between', 'path', 'space', 'return'], props.value.query);
  element.querySelector('.caption').textContent = props.value.caption;
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
  return downloadFrom(ask, status, 'Making the file ...');
}

playButton.addEventListener('click', () => (playing === null ? play() : stop()));
scrubber.addEventListener('input', () => { stop(); show(Number(scrubber.value)); });
for (const button of element.querySelectorAll('[data-format]')) {
  button.addEventListener('click', () => save(button.dataset.format));
}
load(false).then(playOnceInSight);
watch('value', () => load(true));
