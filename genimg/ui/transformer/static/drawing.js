// A drawing of an image GPT, from one capture. Of a long one, whose value has no attention, the
// server is asked for that of the query that is looked at, once that has rested for a moment.
// value: {drawing, layers, heads, layout, selected, className, caption, query, seconds, and the
// arrays of DrawingHandlers.payload} and, of a link, {sliders}, which may have moved since.
// The position that predicted a token is called its query. "select" tells which layer, head and
// query of which drawing are looked at, once that has rested for a moment.
const TOKENS_PER_SECOND = 25;
const MOST_SECONDS = 8; // of an animation; a long drawing appears faster
const QUIET_MILLISECONDS = 250;
const SHOWN_CANDIDATES = 12;
const PLACE = ['layer', 'head', 'token', 'maps'];
const find = (selector) => element.querySelector(selector);
const [picture, marker, play] = ['.picture', '.picture-marker', '.play'].map(find);
const [stepSlider, querySlider] = ['.step', '.query'].map(find);
const bars = makeBars(find('.bars'), SHOWN_CANDIDATES + 1);
let drawing = null; // props.value with its arrays
let grid = null;
let lens = null;
let overview = null;
let table = null; // of what was measured of the heads; null where nothing was
let reshaped = {}; // what the sliders say; all but the guidance shapes the distribution shown
let looks = null; // {attention, rollout} of state.query; null until the server has told
let state = { step: 1, query: 0, layer: 0, head: 0 };
let playing = null; // the pending animation frame, or null
let timer = null;
let moving = null; // the timer of the sliders

const adds = () => find('.switch [value=added]').checked;
const tokens = () => drawing.tokens.data.length;
const weightsOf = (layer, head) => itemOf(looks.attention, layer, head);
const pace = () => Math.max(TOKENS_PER_SECOND, tokens() / MOST_SECONDS);

const shownOf = (layer, head) => lengthsOrWeights(
  weightsOf(layer, head), adds() && itemOf(drawing.value_lengths, layer, head));

function paintFrame(canvas, drawn) {
  // Where no token changes how another looks there is one frame, the whole picture.
  const frame = Math.min(Math.max(0, drawn - 1), drawing.frames.shape[0] - 1);
  const pixels = itemOf(drawing.frames, frame);
  paintPixels(canvas, pixels, drawing.frames.shape.slice(1), drawing.layout, drawn);
}

function showPicture() {
  paintFrame(picture, state.step);
  markPatch(marker, state.query, drawing.layout);
  stepSlider.value = state.step;
  querySlider.value = state.query;
  const drawn = { part: `${state.step}`, all: `${tokens()}` };
  put(find('.step + output'), 'transformer.of', drawn);
  find('.query + output').textContent = `${state.query}`;
  stepSlider.setAttribute('aria-valuetext', say('transformer.draw.drawn', drawn));
}

// A row of weights over the picture so far, with the special tokens beside it.
function paintMap(panel, weights, high) {
  const { layout, colors } = drawing;
  paintFrame(panel.querySelector('.under'), state.query);
  paintCells(panel.querySelector('.heat'), weights, layout, high, colors.data, state.query);
  paintSpecial(panel.querySelector('.special'), weights, layout, high, colors.data);
  paintColorBar(panel.querySelector('.color-bar'), high, colors.data);
  markPatch(panel.querySelector('.marker'), state.query, layout);
}

function nameOf(position) {
  const { special } = drawing.layout;
  if (position >= special.length) return tokenWords(position - special.length);
  return { say: 'transformer.the_class_of', label: drawing.className };
}

function mostOf(weights) {
  const most = threeLargest(weights).filter((position) => weights[position] > 0);
  return beside(most.map((position) => weighted(nameOf(position), threeDigits(weights[position]))));
}

// The attention of the query, where it came with the drawing.
function looksAtHand() {
  if (!drawing.attention) return null;
  const { layers, heads, layout } = drawing;
  const length = layout.special.length + tokens();
  const data = new Float32Array(layers * heads * length);
  for (let i = 0; i < layers * heads; i += 1) {
    const row = itemOf(drawing.attention, Math.floor(i / heads), i % heads, state.query);
    data.set(row, i * length);
  }
  const rollout = { data: itemOf(drawing.rollout, state.query), shape: [length] };
  return { attention: { data, shape: [layers, heads, length] }, rollout };
}

function showAttention() {
  for (const name of ['.attention', '.heads', '.rollout']) find(name).classList.toggle('late', !looks);
  if (!looks) return;
  const { layers, heads, layout, colors } = drawing;
  let high = 0;
  for (let layer = 0; layer < layers; layer += 1) {
    for (let head = 0; head < heads; head += 1) {
      high = Math.max(high, largestOf(shownOf(layer, head)));
    }
  }
  const shown = shownOf(state.layer, state.head);
  const flow = looks.rollout.data;
  paintMap(find('.attention'), shown, high);
  paintMap(find('.rollout'), flow, largestOf(flow));
  grid.paint(shownOf, layout, high, colors.data, state.query, adds() ? addedWords : entropyWords);
  grid.choose(state.layer, state.head);
  const { layer, head } = state;
  put(find('.attention .what'), adds() ? 'transformer.draw.added' : 'transformer.draw.looked');
  put(find('.attention .place'), 'transformer.place', { layer, head });
  put(find('.heads .below'), adds() ? 'transformer.heads.below_added' : 'transformer.heads.below_entropy');
  const most = mostOf(shown);
  if (adds()) put(find('.attention .numbers'), 'transformer.draw.lengths', { most });
  else {
    const [entropy, maximum] = [entropyOf(shown).toFixed(2), threeDigits(largestOf(shown))];
    put(find('.attention .numbers'), 'transformer.draw.weights', { entropy, maximum, most });
  }
  put(find('.rollout .numbers'), 'transformer.rollout.most', { most: mostOf(flow) });
}

// What a reload or a link looks at first.
function placeInAddress() {
  const { layer, head, query } = drawing.selected;
  return {
    layer: numberInAddress('layer', drawing.layers, layer),
    head: numberInAddress('head', drawing.heads, head),
    query: numberInAddress('token', tokens(), query),
  };
}

function drawnWith() {
  const { temperature, top_k, top_p, guidance } = drawing.drawing;
  return { temperature, top_k, top_p, guidance };
}

const inWords = ({ temperature, top_k: topK, top_p: topP }) => ({
  say: 'transformer.next.sampling',
  temperature: `${temperature}`,
  top_k: topK ? `${topK}` : { say: 'transformer.next.all' },
  top_p: `${topP}`,
});

// The drawing with the sliders that have moved since, so that a reload shows both.
function slidersInAddress() {
  const drawn = Object.entries(drawnWith());
  const names = drawn.map(([name]) => `next_${name}`);
  const moved = drawn.filter(([name, value]) => reshaped[name] !== value)
    .map(([name]) => [`next_${name}`, reshaped[name]]);
  writeAddress(names, [...new URLSearchParams(drawing.query), ...moved]);
}

function showCandidates() {
  const { temperature, top_k: topK, top_p: topP } = reshaped;
  const { guidance } = drawing.drawing; // it is in the logits, and so cannot be reshaped
  const logits = itemOf(drawing.logits, state.query);
  const order = likeliestFirst(logits);
  const before = nextTokenDistribution(logits, 1, 0, 1, order);
  const after = nextTokenDistribution(logits, temperature, topK, topP, order);
  const drawn = drawing.tokens.data[state.query];
  const shown = order.slice(0, SHOWN_CANDIDATES);
  if (!shown.includes(drawn)) shown.push(drawn);
  const scale = Math.max(after[order[0]], before[order[0]]);
  bars.forEach((line, i) => {
    line.row.hidden = i >= shown.length;
    if (line.row.hidden) return;
    const token = shown[i];
    const bar = { token, scale, probability: after[token], before: before[token] };
    paintBar(line, { ...bar, drawn: token === drawn });
    paintCandidate(line.patch, token, i);
  });
  const possible = after.filter((probability) => probability > 0).length;
  const rank = order.indexOf(drawn) + 1;
  const said = { possible: `${possible}`, all: `${logits.length}`, token: `${drawn}` };
  Object.assign(said, { entropy: entropyOf(after).toFixed(2), guidance: `${guidance}` });
  if (rank === 1) put(find('.next .numbers'), 'transformer.next.numbers_first', said);
  else put(find('.next .numbers'), 'transformer.next.numbers', { ...said, rank: ordinal(rank) });
  const [now, then] = [inWords(reshaped), inWords(drawnWith())];
  const same = JSON.stringify(now) === JSON.stringify(then);
  const key = same ? 'transformer.next.as_drawn' : 'transformer.next.reshaped';
  put(find('.reshaped'), key, { now, then, guidance: `${guidance}` });
}

// The patch of candidate `rank`, as it would look in the picture so far.
function paintCandidate(canvas, token, rank) {
  const [, known, side, wide, channels] = drawing.patches.shape;
  const { columns } = drawing.layout;
  if (rank < known) {
    const pixels = itemOf(drawing.patches, state.query, rank);
    paintPixels(canvas, pixels, [side, wide, channels], drawing.layout);
  } else if (token === drawing.tokens.data[state.query]) {
    const source = document.createElement('canvas');
    paintFrame(source, state.query + 1);
    const [row, column] = [Math.floor(state.query / columns), state.query % columns];
    [canvas.width, canvas.height] = [wide, side];
    const place = [column * wide, row * side, wide, side];
    canvas.getContext('2d').drawImage(source, ...place, 0, 0, wide, side);
  } else {
    [canvas.width, canvas.height] = [wide, side];
  }
}

function showMachine() {
  if (!find('.machine').classList.contains('folded')) overview.paint(drawing, state);
  table?.choose(state.layer, state.head);
}

function showLens() {
  put(find('.decided'), lens.paint(drawing, state.query, state.step));
}

function paint() {
  showPicture();
  showMachine();
  showLens();
  showAttention();
  showCandidates();
}

function show(changes) {
  if (drawing.attention || state.query !== (changes.query ?? state.query)) looks = null;
  state = { ...state, ...changes };
  looks ??= looksAtHand();
  paint();
  clearTimeout(timer);
  timer = setTimeout(tell, QUIET_MILLISECONDS);
}

async function askLooks(request) {
  const asked = drawing;
  let answer = { error: 'transformer.draw.unanswered' };
  try {
    answer = await server.look_at(request);
  } catch { /* the sentence above is shown */ }
  if (drawing !== asked || state.query !== request.query) return;
  if (answer.error) put(find('.attention .numbers'), answer.error);
  else looks = unpack(answer);
  showAttention();
  showMachine();
}

function tell() {
  const { layer, head, query } = state;
  writeAddress(PLACE, { layer, head, token: query, ...(adds() ? { maps: 'added' } : {}) });
  const request = { drawing: props.value.drawing, layer, head, query };
  if (!looks && playing === null) askLooks(request);
  trigger('select', request);
  window.lookedAt = { request, layers: drawing.layers, heads: drawing.heads, layout: drawing.layout };
  document.dispatchEvent(new Event('looked-at')); // for whom no server is needed
}

function stop() {
  cancelAnimationFrame(playing);
  playing = null;
  put(play, 'transformer.play');
}

// A token that is chosen has been drawn.
function choose(query) {
  stop();
  show({ query, step: Math.max(state.step, query + 1) });
}

function goTo(step) { show({ step, query: step - 1 }); }

// Play what comes after the `first` tokens; at the end the token `afterwards` is looked at.
function animate(first = state.step % tokens(), afterwards = state.query) {
  const started = performance.now();
  put(play, 'transformer.pause');
  goTo(first + 1);
  const advance = (now) => {
    const passed = Math.floor((Math.max(0, now - started) / 1000) * pace());
    if (first + 1 + passed >= tokens()) {
      stop();
      show({ step: tokens(), query: afterwards });
      return;
    }
    if (state.step !== first + 1 + passed) goTo(first + 1 + passed);
    playing = requestAnimationFrame(advance);
  };
  playing = requestAnimationFrame(advance);
}

function load(isNew) {
  find('.panels').inert = false;
  stop();
  looks = null;
  const { layers, heads, layout } = drawing ?? {};
  drawing = { ...props.value, ...unpack(props.value) };
  const same = [layers, heads, layout?.rows, layout?.columns].join() === [
    drawing.layers, drawing.heads, drawing.layout.rows, drawing.layout.columns].join();
  if (!same) {
    grid = makeHeadGrid(find('.head-grid'), drawing.layers, drawing.heads, chooseHead);
    find('.depths').replaceChildren();
    lens = makeLens(find('.depths'), drawing.layers, (event) => choose(patchAt(event, drawing.layout)));
  }
  const weightsIfKnown = (layer, head) => (looks ? weightsOf(layer, head) : null);
  overview = makeOverview(find('.stations'), drawing, {
    paintFrame, weightsOf: weightsIfKnown, goTo: goToPart, chooseHead,
  });
  find('.measured').hidden = !drawing.measured;
  table = drawing.measured && makeHeadTable(find('.measured'), drawing.measured, chooseHead);
  if (!same) state = { ...state, ...(layers ? drawing.selected : placeInAddress()) };
  stepSlider.max = tokens();
  querySlider.max = tokens() - 1;
  reshaped = drawing.sliders ?? drawnWith();
  const appears = isNew && !matchMedia('(prefers-reduced-motion: reduce)').matches;
  if (appears) animate(0);
  else show({ step: tokens() });
  const compared = drawing.seconds < tokens() / pace() ? 'transformer.draw.slower' : 'transformer.draw.faster';
  const said = { caption: drawing.caption, seconds: `${drawing.seconds}` };
  put(find('.caption'), appears ? compared : 'transformer.draw.took', said);
  if (isNew) {
    const names = ['drawer', 'drawing', 'class', 'temperature', 'top_k', 'top_p', 'guidance'];
    writeAddress(names, drawing.query);
    slidersInAddress();
  }
}

// Brings a part of the page into sight, unfolded.
function goToPart(selector) {
  const part = find(selector);
  if (part.classList.contains('folded')) part.querySelector('.fold').click();
  part.tabIndex = -1;
  part.focus({ preventScroll: true });
  part.scrollIntoView({ block: 'nearest' });
}

function chooseHead(layer, head) { show({ layer, head }); }

find('.canvas').addEventListener('click', (event) => choose(patchAt(event, drawing.layout)));
find('.canvas').addEventListener('keydown', (event) => {
  const { columns } = drawing.layout;
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
  const next = state.query + steps[event.key];
  if (!(next >= 0 && next < tokens())) return;
  event.preventDefault();
  choose(next);
});
const shownWeights = {
  '.attention': () => shownOf(state.layer, state.head),
  '.rollout': () => looks.rollout.data,
};
for (const [panel, weights] of Object.entries(shownWeights)) {
  const reading = find(`${panel} .reading`);
  const map = find(`${panel} .map`);
  map.addEventListener('pointermove', (event) => {
    if (!looks) return;
    const token = patchAt(event, drawing.layout);
    const weight = weights()[drawing.layout.special.length + token].toFixed(4);
    const key = token < state.query ? 'transformer.draw.reading' : 'transformer.draw.reading_later';
    put(reading, key, { token: `${token}`, weight });
  });
  map.addEventListener('pointerleave', () => put(reading, ''));
}
play.addEventListener('click', () => (playing === null ? animate() : stop()));
stepSlider.addEventListener('input', () => { stop(); goTo(Number(stepSlider.value)); });
querySlider.addEventListener('input', () => choose(Number(querySlider.value)));
for (const choice of element.querySelectorAll('.switch input')) {
  choice.addEventListener('change', () => show({}));
}
find('.panels').addEventListener('reshape', ({ detail }) => {
  reshaped = detail;
  if (!drawing) return;
  showCandidates();
  clearTimeout(moving);
  moving = setTimeout(slidersInAddress, QUIET_MILLISECONDS);
});
for (const name of ['.next', '.rollout', '.lens']) makeFold(find(`${name} .fold`), find(name));
makeFold(find('.machine .fold'), find('.machine'), true);
find('.machine .fold').addEventListener('click', showMachine);
find('.switch [value=added]').checked = textInAddress('maps') === 'added';
find('.panels').inert = true; // until there is a drawing
document.addEventListener('reworded', () => { if (drawing) paint(); });
if (props.value) load(false);
watch('value', () => load(drawing !== null));
