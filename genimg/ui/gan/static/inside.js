// Inside the generator: what the units of a layer find in the picture on the stage, and that picture
// with some of them changed. value: what InsideHandlers.measure yields. "measure" asks for
// {query, layer}; server.look_inside is InsideHandlers.look.
// What is changed is one change for each layer, {units, factor, level, mask}; the address has all of
// them, so that a reload or a link shows them again.
// Comes after helpers.js, payload.js and maps.js; inside_brush.js follows.
const find = (selector) => element.querySelector(selector);
const [status, grid, paper] = ['[role=status]', '.grid', '.paper'].map(find);
const [which, order, factor, level] = ['.which', '.order', '.factor', '.level'].map(find);
const FEW = 30; // units that are in sight at first
const FIRST = 8; // units that one button chooses
const UP = 3; // what the button multiplies by
const CLEAREST = '*'; // an order; the others are an attribute or ''
const BRUSH = 1 / 16; // radius in sides of the picture
let query = ''; // of the picture on the stage
let model = null; // whose layers these are
let age = ''; // after how many pictures of its training; '' at the end
let layer = 0;
let layers = []; // [[units, size]]
let changes = new Map(); // by layer
let maps = null; // of the units of the layer
let shownOf = ''; // of which picture and layer they are, as text
let measured = new Map(); // by model and layer: {names, words for them, values, served}
let everything = false; // whether all units are in sight
let running = false; // the server is asked one thing at a time
let waiting = false; // something has changed since it was asked
let stroke = null; // {value, last} while somebody paints
let cursor = { x: 0.5, y: 0.5 }; // of the keyboard, in sides of the picture

const size = () => layers[layer]?.[1] ?? 0;
const place = () => `${model} ${age} ${layer}`;
const nothing = () => ({ units: [], factor: 1, level: 1, mask: new Uint8Array(size() ** 2) });
const painted = (change) => change.mask.some(Boolean);
const acts = (change) => change.units.length && (change.factor !== 1 || painted(change));

function change() {
  if (!changes.has(layer)) changes.set(layer, nothing());
  return changes.get(layer);
}

// Bits as hexadecimal digits, four in each, and back.
const packed = (mask) => Array.from({ length: Math.ceil(mask.length / 4) }, (_, i) => (
  [0, 1, 2, 3].reduce((digit, j) => 2 * digit + (mask[4 * i + j] ?? 0), 0).toString(16))).join('');
const unpacked = (digits, length) => Uint8Array.from({ length }, (_, i) => (
  (parseInt(digits[Math.floor(i / 4)] ?? '0', 16) >> (3 - (i % 4))) & 1));

// "1~5.17~0~1~00ff" is layer 1, units 5 and 17, off, and where they are painted in.
function changesInAddress() {
  const found = new Map();
  for (const part of textInAddress('inside').split(' ')) {
    const [at, numbers = '', strong, peak, digits = ''] = part.split('~');
    const [count, side] = layers[at] ?? [0, 0];
    const units = numbers.match(/[0-9]+/g)?.map(Number).filter((unit) => unit < count) ?? [];
    const amount = (text) => Math.min(4, Math.max(0, Number(text))) || 0;
    const mask = unpacked(digits, side * side);
    if (units.length) found.set(Number(at), { units, factor: amount(strong), level: amount(peak), mask });
  }
  if (!found.size) return;
  [changes, [layer]] = [found, found.keys()];
}

function writeChanges() {
  const parts = [...changes].filter(([, one]) => acts(one)).map(([at, one]) => (
    [at, one.units.join('.'), one.factor, one.level, ...(painted(one) ? [packed(one.mask)] : [])].join('~')));
  writeAddress(['inside'], parts.length ? { inside: parts.join(' ') } : {});
}

const times = (amount) => ({ say: 'gan.inside.times', factor: String(amount) });

function chosenWords(units) {
  if (!units.length) return 'gan.inside.choose';
  if (units.length === 1) return { say: 'gan.inside.chosen_one', unit: String(units[0]) };
  const key = units.length > 12 ? 'gan.inside.chosen_more' : 'gan.inside.chosen';
  return { say: key, number: units.length, units: units.slice(0, 12).map(String) };
}

function showControls() {
  const { units, factor: strong, level: peak } = change();
  find('.controls').inert = !units.length;
  put(find('.chosen'), chosenWords(units));
  [factor.value, level.value] = [strong, peak];
  put(find('.factor + output'), strong === 0 ? 'gan.inside.is_off' : times(strong));
  put(find('.level + output'), peak === 0 ? 'gan.inside.rubs_out' : times(peak));
  const images = size() > 0;
  find('.brush').hidden = find('.unpaint').hidden = !images;
  paper.ariaDisabled = String(!(images && units.length));
  put(find('.paper + figcaption'), images ? 'gan.inside.after' : 'gan.inside.after_no_image');
  for (const button of grid.querySelectorAll('button')) {
    button.ariaPressed = String(units.includes(Number(button.dataset.unit)));
  }
}

// The units in the order that was asked for.
function ordered() {
  const { data, shape: [count] } = maps;
  const per = data.length / count;
  const found = measured.get(place());
  const column = found ? found.names.indexOf(order.value) : -1;
  const worth = (unit) => {
    if (column >= 0) return found.values[unit][column];
    if (order.value === CLEAREST) return Math.max(...found.values[unit]);
    return data.subarray(unit * per, (unit + 1) * per).reduce((sum, x) => sum + x, 0);
  };
  const worths = Array.from({ length: count }, (_, unit) => worth(unit));
  return worths.map((_, unit) => unit).sort((a, b) => worths[b] - worths[a] || a - b);
}

function option(words, value) {
  const made = new Option('', value);
  put(made, words);
  return made;
}

function showOrders() {
  const found = measured.get(place());
  const before = order.value;
  const raises = (name, i) => option({ say: 'gan.inside.order.raises', name: found.words[i] }, name);
  const options = [option('gan.inside.order.active', ''),
    ...(found ? [option('gan.inside.order.clearest', CLEAREST)] : []),
    ...(found?.names ?? []).map(raises)];
  order.replaceChildren(...options);
  order.value = found?.names.includes(before) ? before : found ? CLEAREST : '';
}

function tileOf(unit, colors, found) {
  const [, height, width] = maps.shape;
  const button = document.createElement('button');
  button.type = 'button';
  button.dataset.unit = unit;
  const canvas = document.createElement('canvas');
  paintMap(canvas, itemOf(maps, unit), height, width, colors);
  const column = found?.names.indexOf(order.value) ?? -1;
  const serves = column >= 0 ? order.value : found?.served[unit];
  const amount = serves ? found.values[unit][found.names.indexOf(serves)] : 0;
  const name = serves ? found.words[found.names.indexOf(serves)] : '–';
  const effect = serves ? `${amount < 0 ? '−' : '+'}${Math.abs(amount).toFixed(2)}` : '';
  button.append(canvas);
  written(button, 'span', '', `${unit}`);
  if (found && column < 0) put(written(button, 'small'), name);
  if (found) written(button, 'small', '', effect);
  const about = serves ? { say: 'gan.inside.unit_serves', name, effect } : { say: 'gan.inside.unit' };
  for (const attribute of ['title', 'aria-label']) {
    putOn(button, attribute, { ...about, unit: String(unit) });
  }
  button.addEventListener('click', () => toggle(unit));
  return button;
}

function showUnits() {
  if (!maps) return;
  const found = measured.get(place());
  const all = ordered();
  const focus = document.activeElement?.dataset?.unit;
  const tiles = all.slice(0, everything ? all.length : FEW).map((unit) => tileOf(unit, maps.colors, found));
  const inside = grid.contains(document.activeElement);
  grid.replaceChildren(...tiles);
  grid.inert = false;
  const first = tiles.find((tile) => inside && tile.dataset.unit === focus) ?? tiles[0];
  for (const tile of tiles) tile.tabIndex = tile === first ? 0 : -1;
  if (inside) first.focus();
  const more = find('.more');
  more.hidden = all.length <= FEW;
  put(more, everything ? 'gan.inside.fewer' : { say: 'gan.inside.all', number: all.length });
  showControls();
}

function showLayers() {
  which.replaceChildren(...layers.map(([units, size], i) => option(
    { say: size ? 'gan.inside.layer_of' : 'gan.inside.layer_no_image', layer: i, units, size }, i)));
  which.value = layer;
}

function toggle(unit) {
  const { units } = change();
  change().units = units.includes(unit) ? units.filter((one) => one !== unit) : [...units, unit];
  showControls();
  run();
}

function request() {
  const sent = [...changes].filter(([, one]) => acts(one)).map(([at, one]) => ({
    layer: at, units: one.units, factor: one.factor, level: one.level,
    painted: painted(one) ? one.mask.join('') : '',
  }));
  return { query, layer, maps: shownOf !== `${query} ${layer}`, changes: sent };
}

function show(answer) {
  const arrays = unpack(answer);
  layers = answer.layers;
  paintPicture(find('.before'), arrays.before);
  paintPicture(find('.after'), arrays.after);
  find('.measure').hidden = !answer.attributed;
  put(status, answer.words);
  find('code').textContent = answer.code;
  if (answer.measured) measured.set(place(), answer.measured);
  if (arrays.maps) {
    maps = { ...arrays.maps, colors: arrays.colors.data };
    shownOf = `${query} ${layer}`;
    put(find('.note'), 'gan.inside.maps', { high: answer.high.toPrecision(2) });
    showLayers();
    showOrders();
    showUnits();
  } else if (maps) showControls(); // a link may have changed what is chosen
}

// Asks for what is to be seen now.
async function run() {
  if (!query || !element.clientWidth) return;
  // A browser that is told of a hundred addresses in a moment refuses the next: not while one paints.
  if (layers.length && !stroke) writeChanges();
  waiting = running;
  if (running) return;
  running = true;
  let answer = { error: 'frame.unanswered' };
  const asked = request();
  try {
    answer = await server.look_inside(asked);
  } catch { /* the sentence above is shown */ }
  running = false;
  if (answer.error) put(status, answer.error);
  else if (asked.query === query && asked.layer === layer) { // else the next answer is on its way
    const first = !layers.length;
    show(answer);
    if (first) changesInAddress();
    waiting ||= first && [...changes.values()].some(acts);
  }
  if (waiting) run();
}

const ageIn = (link) => new URLSearchParams(link).get('after') ?? '';

// Another model has other units: what was changed means nothing there.
function follow(next) {
  const name = new URLSearchParams(next).get('model');
  // Of a link the model comes after the page; until then what it changes belongs to no other.
  const linked = textInAddress('model');
  if (model === null && textInAddress('inside') && linked && name !== linked) return;
  if (name !== model) {
    [layers, layer, maps, everything] = [[], 0, null, false];
    if (model !== null) {
      changes = new Map();
      writeAddress(['inside'], {});
    }
    grid.replaceChildren();
    model = name;
  }
  [query, age] = [next, ageIn(next)];
  run();
}

grid.addEventListener('keydown', (event) => {
  const tiles = Array.from(grid.children);
  const at = tiles.indexOf(document.activeElement);
  const across = Math.max(1, tiles.filter((tile) => tile.offsetTop === tiles[0].offsetTop).length);
  const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across, Home: -at, End: tiles.length - 1 - at };
  if (at < 0 || !(event.key in moves)) return;
  event.preventDefault();
  const next = tiles[Math.min(tiles.length - 1, Math.max(0, at + moves[event.key]))];
  tiles[at].tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
});

function setFactor(amount) {
  change().factor = amount;
  showControls();
  run();
}

factor.addEventListener('input', () => setFactor(Number(factor.value)));
level.addEventListener('input', () => {
  change().level = Number(level.value);
  showControls();
  run();
});
find('.off').addEventListener('click', () => setFactor(0));
find('.up').addEventListener('click', () => setFactor(UP));
find('.same').addEventListener('click', () => setFactor(1));
find('.unpaint').addEventListener('click', () => {
  change().mask.fill(0);
  run();
});
find('.nothing').addEventListener('click', () => {
  changes = new Map();
  which.focus(); // the button itself can no longer be pressed
  showControls();
  run();
});
which.addEventListener('change', () => {
  layer = Number(which.value);
  everything = false;
  grid.inert = true; // until it shows this layer
  run();
});
order.addEventListener('change', showUnits);
find('.more').addEventListener('click', () => {
  everything = !everything;
  showUnits();
});
find('.first').addEventListener('click', () => {
  if (!maps) return;
  change().units = ordered().slice(0, FIRST);
  showControls();
  run();
});
find('.measure').addEventListener('click', () => {
  if (!query) return;
  put(find('.note'), 'gan.inside.measuring');
  trigger('measure', { query, layer });
});
watch('value', () => {
  const value = props.value;
  if (value?.error) put(find('.note'), value.error);
  else if (value?.done) {
    put(find('.note'), 'gan.inside.measured_so_far', { done: value.done, total: value.of });
  } else if (value?.measured) {
    const name = new URLSearchParams(value.query).get('model');
    const key = `${name} ${ageIn(value.query)} ${value.layer}`;
    measured.set(key, value.measured);
    if (key !== place()) return;
    put(find('.note'), 'gan.inside.measured');
    showOrders();
    showUnits();
  }
});
find('.snippet button').addEventListener('click', () => copyText(find('code'), find('.snippet button')));
document.addEventListener('settled', ({ detail }) => follow(detail.query));
document.dispatchEvent(new CustomEvent('ask-what-settled'));
// Nothing is asked for before somebody opens this part of the page.
new ResizeObserver(() => {
  if (!running && shownOf !== `${query} ${layer}`) run();
}).observe(element);
