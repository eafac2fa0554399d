// What a vision Transformer takes a picture for, and where it looks: all of it came in one payload,
// so another class, head or query asks nobody. value: of VisionHandlers.looking
// "select" tells which layer, head and query are looked at, once that has rested for a moment.
const QUIET_MILLISECONDS = 250;
const find = (selector) => element.querySelector(selector);
const querySlider = find('.query input');
const bars = find('.class-bars');
let look = null; // props.value with its arrays
let layout = null;
let grid = null;
let state = { layer: 0, head: 0, query: 0, label: 0 };
let linked = true; // until what the address names has been shown
let timer = null;

const weightsOf = (layer, head) => itemOf(look.attention, layer, head, state.query);
const adds = () => find('.switch [value=added]').checked;
const shownOf = (layer, head) => lengthsOrWeights(
  weightsOf(layer, head), adds() && itemOf(look.value_lengths, layer, head));
const patchesOf = (weights) => weights.subarray(layout.special.length);

function nameOf(position) {
  const patch = position - layout.special.length;
  if (patch < 0) return layout.special[position];
  const [row, column] = [Math.floor(patch / layout.columns), patch % layout.columns];
  return { say: 'transformer.look.patch', row, column };
}

function mostOf(weights) {
  return threeLargest(weights)
    .map((position) => weighted(nameOf(position), threeDigits(weights[position])))
    .reduce((one, other) => ({ say: 'transformer.look.and', one, other }));
}

// A row of weights over the picture, with the special tokens beside it.
function paintMap(panel, weights, high) {
  const { colors } = look;
  paintPixels(panel.querySelector('.under'), look.picture.data, look.picture.shape, layout);
  paintCells(panel.querySelector('.heat'), weights, layout, high, colors.data);
  paintSpecial(panel.querySelector('.special'), weights, layout, high, colors.data);
  paintColorBar(panel.querySelector('.color-bar'), high, colors.data);
}

// One scale for all heads of all layers: the largest weight that any of them gives to a patch. Only
// the large map can leave it, and its bar says so.
function showAttention() {
  const [layers, heads] = look.attention.shape;
  let high = 0;
  for (let layer = 0; layer < layers; layer += 1) {
    for (let head = 0; head < heads; head += 1) {
      high = Math.max(high, largestOf(patchesOf(shownOf(layer, head))));
    }
  }
  const weights = shownOf(state.layer, state.head);
  const flow = itemOf(look.rollout, state.query);
  const own = find('.own input').checked;
  paintMap(find('.attention'), weights, own ? largestOf(patchesOf(weights)) : high);
  paintMap(find('.rollout'), flow, largestOf(patchesOf(flow)));
  const patch = state.query - layout.special.length;
  for (const marker of element.querySelectorAll('.marker')) markPatch(marker, patch, layout);
  grid.paint(shownOf, layout, high, look.colors.data, Infinity, adds() ? addedWords : entropyWords);
  grid.choose(state.layer, state.head);
  querySlider.value = state.query;
  querySlider.setAttribute('aria-valuetext', say(nameOf(state.query)));
  const { query, layer, head } = state;
  put(find('.query output'), 'transformer.look.at', { query: `${query}`, place: nameOf(query) });
  put(find('.attention .place'), 'transformer.look.place', { layer, head });
  put(find('.attention .what'), adds() ? 'transformer.look.added' : 'transformer.look.weights');
  put(find('.heads .below'), adds() ? 'transformer.look.below_added' : 'transformer.look.below_entropy');
  const said = {
    most: mostOf(weights),
    entropy: entropyOf(weights).toFixed(2),
    largest: Math.log(weights.length).toFixed(2),
  };
  put(find('.attention .numbers'), adds() ? 'transformer.look.lengths' : 'transformer.look.numbers', said);
  put(find('.rollout .numbers'), 'transformer.look.most', { most: mostOf(flow) });
}

// Of the first patch where the query is none.
function showPositions() {
  const patch = Math.max(0, state.query - layout.special.length);
  const figures = look.ways.map((name, way) => {
    const figure = document.createElement('figure');
    const map = written(figure, 'div', 'map canvas');
    map.role = 'img';
    putOn(map, 'aria-label', 'transformer.look.alike', { patch: `${patch}`, way: name });
    const shares = itemOf(look.positions, way, patch).map((cosine) => (1 + cosine) / 2);
    paintCells(written(map, 'canvas'), shares, { ...layout, special: [] }, 1, look.signed.data);
    markPatch(written(map, 'div', 'marker'), patch, layout);
    map.addEventListener('click', chooseQuery);
    put(written(figure, 'figcaption'), name);
    return figure;
  });
  find('.ways').replaceChildren(...figures);
}

// Each class on its own scale: what speaks for an unlikely one is faint beside the likeliest.
function showRelevance() {
  const relevance = itemOf(look.relevance, state.label);
  paintMap(find('.relevance'), relevance, largestOf(patchesOf(relevance)));
  put(find('.relevance .place'), look.called[state.label]);
  Array.from(bars.children).forEach((bar, label) => {
    bar.setAttribute('aria-pressed', String(label === state.label));
  });
}

function showClasses() {
  const buttons = look.classes.map((name, label) => {
    const button = document.createElement('button');
    const [title, track, share] = ['span', 'span', 'span'].map((tag) => document.createElement(tag));
    const fill = document.createElement('i');
    button.type = 'button';
    put(title, look.called[label]);
    put(share, 'transformer.share', { share: { percent: look.probabilities.data[label] } });
    fill.style.width = `${100 * look.probabilities.data[label]}%`;
    track.append(fill);
    button.append(title, track, share);
    button.addEventListener('click', () => {
      state.label = label;
      showRelevance();
      writeAddress(['looker_class'], label ? { looker_class: name } : {}); // else the likeliest
    });
    return button;
  });
  bars.replaceChildren(...buttons);
}

function go(changes) {
  Object.assign(state, changes);
  showAttention();
  showPositions();
  clearTimeout(timer);
  timer = setTimeout(() => {
    const { layer, head, query } = state;
    const { checkpoint } = look.looking;
    writeAddress([], { looker: checkpoint, looker_layer: layer, looker_head: head, looker_query: query });
    trigger('select', { looking: look.looking, layer, head, query });
  }, QUIET_MILLISECONDS);
}

function chooseQuery(event) {
  go({ query: layout.special.length + patchAt(event, layout) });
}

function load() {
  if (!props.value) return;
  look = { ...props.value, ...unpack(props.value) };
  const { rows, columns, special } = look;
  const [layers, heads, positions] = look.attention.shape;
  const other = !layout || grid.layers !== layers || grid.heads !== heads
    || layout.special.length + layout.rows * layout.columns !== positions;
  layout = { rows, columns, special };
  if (other) {
    const choose = (layer, head) => go({ layer, head });
    grid = { layers, heads, ...makeHeadGrid(find('.head-grid'), layers, heads, choose) };
    const place = look.selected;
    state = linked ? {
      layer: numberInAddress('looker_layer', layers, place.layer),
      head: numberInAddress('looker_head', heads, place.head),
      query: numberInAddress('looker_query', positions, place.query),
    } : { ...place };
    linked = false;
    find('.switch [value=added]').checked = textInAddress('looker_maps') === 'added';
    find('.own input').checked = textInAddress('looker_scale') === 'own';
    querySlider.max = positions - 1;
  }
  // A class that was chosen stays chosen; else the likeliest, which is the first.
  state.label = Math.max(0, look.classes.indexOf(textInAddress('looker_class')));
  showClasses();
  showRelevance();
  go({});
}

for (const map of element.querySelectorAll('.attention .map, .rollout .map')) {
  map.addEventListener('click', chooseQuery);
}
makeFold(find('.positions .fold'), find('.positions'), true);
for (const choice of element.querySelectorAll('.switch input')) {
  choice.addEventListener('change', () => {
    showAttention();
    writeAddress(['looker_maps'], adds() ? { looker_maps: 'added' } : {});
  });
}
find('.own input').addEventListener('change', () => {
  showAttention();
  writeAddress(['looker_scale'], find('.own input').checked ? { looker_scale: 'own' } : {});
});
querySlider.addEventListener('input', () => go({ query: Number(querySlider.value) }));
find('.query button').addEventListener('click', () => go({ query: 0 }));

document.addEventListener('reworded', () => { if (look) showAttention(); });
load();
watch('value', load);
