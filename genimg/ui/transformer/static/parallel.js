// A drawing of a MaskGIT, step by step: nothing here asks the server.
// value: {drawing, layout, caption, query, asked?, controls?, and the arrays of
// ParallelHandlers.payload}. The event "moved" tells it what the controls of a next drawing say.
// "select" tells which step of which drawing is looked at, once that has rested for a moment.
// Comes after helpers.js, payload.js and heads.js.
const STEPS_PER_SECOND = 2;
const QUIET_MILLISECONDS = 250;
// What the controls say may differ from the drawing: it is kept in the address beside it.
const MOVED = ['steps', 'order', 'guidance', 'noise'];
const NAMES = ['', '_seed', '_class', '_step', ...MOVED.flatMap((name) => [`_${name}`, `_next_${name}`])]
  .map((end) => `parallel${end}`);
const find = (selector) => element.querySelector(selector);
const [play, slider, marker, map] = ['.play', '.step', '.marker', '.sure .map'].map(find);
let drawing = null; // props.value with its arrays
let step = 0; // from 0
let token = 0; // that the marker is on
let playing = null; // the timer of the next step, or null
let timer = null;
let moved = null; // what the controls say
let remembering = null; // the timer of writing that down

const steps = () => drawing.masked.shape[0];

// What was masked before a step, and what of it is kept in it, as arrays of 0 and 1.
function maskBefore(at) {
  return at ? itemOf(drawing.masked, at - 1) : new Uint8Array(itemOf(drawing.masked, 0).length).fill(1);
}

function keptIn(at) {
  const after = itemOf(drawing.masked, at);
  return Array.from(maskBefore(at), (masked, i) => masked && !after[i]);
}

// A picture of which the masked tokens are left out.
function paintWithout(canvas, pictures, at, masked) {
  paintPixels(canvas, itemOf(pictures, at), pictures.shape.slice(1), drawing.layout);
  const [wide, high] = [canvas.width / drawing.layout.columns, canvas.height / drawing.layout.rows];
  const context = canvas.getContext('2d');
  masked.forEach((is, i) => {
    const [row, column] = [Math.floor(i / drawing.layout.columns), i % drawing.layout.columns];
    if (is) context.clearRect(column * wide, row * high, wide, high);
  });
}

// Cells of the proposals that were made in this step; tokens kept before show the picture below.
function paintConfidence(high) {
  const { layout, colors } = drawing;
  const before = maskBefore(step);
  const confidence = itemOf(drawing.confidence, step);
  paintWithout(find('.under'), drawing.images, step, before);
  const cells = find('.heat');
  paintCells(cells, confidence, layout, high, colors.data);
  const context = cells.getContext('2d');
  before.forEach((masked, i) => {
    if (!masked) context.clearRect(i % layout.columns, Math.floor(i / layout.columns), 1, 1);
  });
  paintColorBar(find('.color-bar'), high, colors.data);
  const frames = keptIn(step).flatMap((kept, i) => (kept ? [i] : [])).map((i) => {
    const frame = document.createElement('i');
    markPatch(frame, i, layout);
    return frame;
  });
  find('.chosen').replaceChildren(...frames);
}

// The largest confidence of any step, so that all steps have one scale.
function largestConfidence() {
  let high = 0;
  for (let at = 0; at < steps(); at += 1) {
    const confidence = itemOf(drawing.confidence, at);
    maskBefore(at).forEach((masked, i) => { if (masked) high = Math.max(high, confidence[i]); });
  }
  return high || 1;
}

function mean(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

const where = () => ({ part: `${step + 1}`, all: `${steps()}` });

function words() {
  const confidence = Array.from(itemOf(drawing.confidence, step));
  const before = Array.from(maskBefore(step));
  const kept = keptIn(step);
  const left = itemOf(drawing.masked, step).reduce((sum, masked) => sum + masked, 0);
  const proposed = before.filter(Boolean).length;
  const sure = mean(confidence.filter((_, i) => before[i]));
  const surest = mean(confidence.filter((_, i) => kept[i]));
  const count = kept.filter(Boolean).length;
  return {
    say: left ? 'transformer.parallel.words' : 'transformer.parallel.words_last',
    ...where(),
    proposed: `${proposed}`,
    kept: `${count}`,
    left: `${left}`,
    sure: { percent: sure },
    surest: { percent: surest },
  };
}

function reading() {
  const confidence = itemOf(drawing.confidence, step)[token];
  const [row, column] = [Math.floor(token / drawing.layout.columns), token % drawing.layout.columns];
  const said = { row: row + 1, column: column + 1, sure: { percent: confidence } };
  if (!maskBefore(step)[token]) return { say: 'transformer.parallel.kept_before', ...said };
  const now = keptIn(step)[token] ? 'transformer.parallel.kept_now' : 'transformer.parallel.masked_again';
  return { say: now, ...said };
}

function show(next) {
  step = next;
  slider.value = step + 1;
  slider.setAttribute('aria-valuetext', say('transformer.parallel.at', where()));
  put(find('output'), 'transformer.of', where());
  paintWithout(find('.kept canvas'), drawing.images, step, itemOf(drawing.masked, step));
  const guesses = drawing.guesses;
  paintPixels(find('.guess canvas'), itemOf(guesses, step), guesses.shape.slice(1), drawing.layout);
  paintConfidence(largestConfidence());
  put(find('[role=status]'), words());
  look(token);
  clearTimeout(timer);
  timer = setTimeout(() => trigger('select', { drawing: props.value.drawing, step }), QUIET_MILLISECONDS);
}

// The address holds the drawing, the step that is looked at, and what the controls say by now.
function remember() {
  const differing = MOVED.filter((name) => moved[name] !== drawing.drawing[name]);
  writeAddress(NAMES, [
    ...new URLSearchParams(drawing.query),
    ...(step + 1 < steps() ? [['parallel_step', step]] : []),
    ...differing.map((name) => [`parallel_next_${name}`, moved[name]]),
  ]);
}

function look(next) {
  token = next;
  markPatch(marker, token, drawing.layout);
  put(find('.reading'), reading());
}

function stop() {
  clearTimeout(playing);
  playing = null;
  put(play, 'transformer.play');
}

function animate(first) {
  put(play, 'transformer.pause');
  show(first);
  if (first + 1 >= steps()) pause();
  else playing = setTimeout(() => animate(first + 1), 1000 / STEPS_PER_SECOND);
}

// Stops at a step that somebody looks at.
function pause() {
  stop();
  remember();
}

function load(isNew) {
  // What somebody asked for is not replaced by what the page began with, should that come later.
  if (drawing?.asked && !props.value.asked) return;
  stop();
  const first = !drawing;
  drawing = { ...props.value, ...unpack(props.value) };
  element.inert = false;
  find('.caption').classList.remove('busy');
  put(find('.caption'), 'transformer.parallel.caption', { caption: drawing.caption });
  slider.max = steps();
  token = Math.min(token, itemOf(drawing.masked, 0).length - 1);
  if (first) token = Math.floor(itemOf(drawing.masked, 0).length / 2);
  moved = drawing.controls ?? drawing.drawing;
  const appears = isNew && !matchMedia('(prefers-reduced-motion: reduce)').matches;
  if (appears) animate(0);
  else show(first ? numberInAddress('parallel_step', steps(), steps() - 1) : steps() - 1);
  if (isNew) remember();
}

play.addEventListener('click', () => (playing === null ? animate((step + 1) % steps()) : pause()));
slider.addEventListener('input', () => { stop(); show(Number(slider.value) - 1); });
slider.addEventListener('change', remember);
find('.panels').addEventListener('moved', ({ detail }) => {
  if (!drawing) return;
  moved = detail;
  clearTimeout(remembering);
  remembering = setTimeout(remember, QUIET_MILLISECONDS);
});
map.addEventListener('click', (event) => look(patchAt(event, drawing.layout)));
map.addEventListener('keydown', (event) => {
  const { columns } = drawing.layout;
  const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
  const next = token + moves[event.key];
  if (!(next >= 0 && next < itemOf(drawing.masked, 0).length)) return;
  event.preventDefault();
  look(next);
});
element.inert = true; // until there is a drawing
document.addEventListener('reworded', () => {
  if (drawing) slider.setAttribute('aria-valuetext', say('transformer.parallel.at', where()));
});
if (props.value) load(false);
watch('value', () => load(drawing !== null));
