// One head's attention to one query, step by step, with every number; see transformer/numbers_handlers.py.
// value: {title, file, request, special, columns, steps, arrays, bytes}; special are the words of the
// positions before the tokens, which lie in `columns`.
// Comes after helpers.js and payload.js. Nothing from the server becomes HTML: it is set as text or painted.
const title = element.querySelector('h3');
const list = element.querySelector('ol');
const everything = element.querySelector('.everything');
const status = element.querySelector('[role=status]');
const LINE_LENGTH = 32; // cells of a vector that has no place in the picture
let readers = []; // each says again what has been read of an array
const SIDE_PIXELS = 232; // of the long side of a table, about

// Nine significant digits give back exactly the float32 that was written.
function spell(number) {
  if (number === -Infinity) return '-inf';
  return String(Number(number.toPrecision(9)));
}

// Three digits, where nobody has asked for one number yet.
const rounded = (number) => String(Number(number.toPrecision(3)));

function rangeOf(data) {
  const finite = data.filter(Number.isFinite).sort(); // typed arrays sort by value
  return [finite[0], finite[finite.length - 1]]; // every token sees at least itself
}

// Returns a function from a number to its color: signed numbers are centred on 0, amounts begin there.
function painter(kind, table, [low, high]) {
  const reach = Math.max(Math.abs(low), Math.abs(high)) || 1;
  const last = table.data.length / 3 - 1;
  return (number) => {
    const share = kind === 'signed' ? (number / reach + 1) / 2 : number / reach;
    const start = 3 * Math.round(Math.min(1, Math.max(0, share)) * last);
    return `rgb(${table.data[start]}, ${table.data[start + 1]}, ${table.data[start + 2]})`;
  };
}

// Where each number of an array is painted. Tokens lie as in the picture, the special ones above.
function geometryOf(axes, shape) {
  const count = shape.reduce((a, b) => a * b, 1);
  const inPicture = axes.length === 1 && axes[0] === 'tokens';
  const special = inPicture ? props.value.special.length : 0;
  let columns = inPicture ? props.value.columns : Math.min(count, LINE_LENGTH);
  if (axes.length === 2) [, columns] = shape;
  const rows = Math.ceil((count - special) / columns);
  const side = Math.max(2, Math.min(inPicture ? 22 : 8, Math.floor(SIDE_PIXELS / Math.max(rows, columns))));
  const top = special ? 1.5 * side : 0;
  return {
    count,
    columns,
    side,
    width: Math.max(columns, special) * side,
    height: top + rows * side,
    corner: (i) => (i < special
      ? [i * side, 0]
      : [((i - special) % columns) * side, top + Math.floor((i - special) / columns) * side]),
    at(x, y) {
      const column = Math.floor(x / side);
      if (special && y < side) return column < special ? column : null;
      const index = special + Math.floor((y - top) / side) * columns + column;
      return y >= top && column < columns && index < count ? index : null;
    },
  };
}

function paint(canvas, data, geometry, colorOf) {
  const context = canvas.getContext('2d');
  const { side } = geometry;
  [canvas.width, canvas.height] = [geometry.width, geometry.height];
  context.strokeStyle = 'gray';
  data.forEach((number, i) => {
    const [x, y] = geometry.corner(i);
    if (Number.isFinite(number)) {
      context.fillStyle = colorOf(number);
      context.fillRect(x, y, side, side);
    } else { // crossed out: no color could stand for minus infinity
      context.beginPath();
      context.moveTo(x + 1, y + side - 1);
      context.lineTo(x + side - 1, y + 1);
      context.stroke();
    }
  });
}

function paintBar(canvas, [low, high], colorOf) {
  [canvas.width, canvas.height] = [128, 1];
  const context = canvas.getContext('2d');
  for (let x = 0; x < canvas.width; x += 1) {
    context.fillStyle = colorOf(low + ((high - low) * x) / (canvas.width - 1));
    context.fillRect(x, 0, 1, 1);
  }
}

function nameOf(axis, index) {
  if (axis !== 'tokens') return { say: `transformer.numbers.axis.${axis.replace(' ', '_')}`, index: `${index}` };
  const { special, columns } = props.value;
  const token = index - special.length;
  const [row, column] = [Math.floor(token / columns), token % columns];
  if (token < 0) return special[index];
  return { say: 'transformer.numbers.token', number: `${token}`, row, column };
}

function describe(array, { data, shape }, index) {
  const [, width] = shape;
  const indices = array.axes.length === 2 ? [Math.floor(index / width), index % width] : [index];
  const names = array.axes.map((axis, i) => nameOf(axis, indices[i]));
  return [...names, spell(data[index])].reduce((one, other) => ({ say: 'frame.beside', one, other }));
}

// What a program reads, the same in every language.
function tableOf({ axes }, { data, shape }) {
  if (!axes.length) return `value\n${spell(data[0])}\n`;
  const [rows, columns = 1] = shape;
  const heads = axes.length === 2 ? Array.from({ length: columns }, (_, i) => i) : ['value'];
  const named = axes[0] === 'tokens';
  const first = named ? ['position', 'name'] : [axes[0].replace(' ', '_')];
  const lines = [[...first, ...heads]];
  for (let row = 0; row < rows; row += 1) {
    const start = named ? [row, `"${say(nameOf('tokens', row), {}, 'en')}"`] : [row];
    lines.push([...start, ...Array.from(data.slice(row * columns, (row + 1) * columns), spell)]);
  }
  return `${lines.map((line) => line.join(',')).join('\n')}\n`;
}

function downloadTable(array, numbers) {
  const address = URL.createObjectURL(new Blob([tableOf(array, numbers)], { type: 'text/csv' }));
  download(address, `${props.value.file}-${array.name}.csv`);
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

// The pointer, or the arrow keys, read one cell after the other; `read` gives the words of one.
function makeReadable(canvas, geometry, read, reading) {
  let chosen = 0;
  const choose = (index) => {
    chosen = index;
    canvas.ariaValueNow = index;
    canvas.ariaValueText = say(read(index));
    put(reading, read(index));
  };
  readers.push(() => choose(chosen));
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -geometry.columns, ArrowDown: geometry.columns };
  [canvas.tabIndex, canvas.role] = [0, 'slider'];
  [canvas.ariaValueMin, canvas.ariaValueMax] = [0, geometry.count - 1];
  choose(0);
  canvas.addEventListener('pointermove', (event) => {
    const index = geometry.at(event.offsetX, event.offsetY);
    if (index !== null) choose(index);
  });
  canvas.addEventListener('keydown', (event) => {
    if (!(event.key in steps)) return;
    event.preventDefault();
    choose(Math.min(geometry.count - 1, Math.max(0, chosen + steps[event.key])));
  });
}

function addArray(parent, array, numbers, table) {
  const range = rangeOf(numbers.data);
  const colorOf = painter(array.colors, table, range);
  const geometry = geometryOf(array.axes, numbers.shape);
  const figure = written(parent, 'figure');
  figure.dataset.array = array.name;
  const caption = written(figure, 'figcaption');
  put(written(caption, 'span'), array.symbol);
  written(caption, 'small', '', `float32 (${numbers.shape.join(' × ')})`);
  const canvas = written(figure, 'canvas', 'cells');
  paint(canvas, numbers.data, geometry, colorOf);
  const scale = written(figure, 'div', 'scale');
  written(scale, 'span', '', rounded(range[0]));
  paintBar(written(scale, 'canvas'), range, colorOf);
  written(scale, 'span', '', rounded(range[1]));
  const button = written(scale, 'button', '', 'CSV');
  button.type = 'button';
  putOn(button, 'aria-label', 'transformer.numbers.download', { array: array.symbol });
  button.addEventListener('click', () => downloadTable(array, numbers));
  const reading = written(figure, 'output');
  putOn(canvas, 'aria-label', array.symbol);
  makeReadable(canvas, geometry, (index) => describe(array, numbers, index), reading);
}

function show() {
  if (!props.value) return;
  const arrays = unpack(props.value);
  put(title, props.value.title);
  put(status, '');
  readers = [];
  const items = props.value.steps.map((step) => {
    const item = document.createElement('li');
    const words = written(item, 'div', 'words');
    put(written(words, 'h4'), step.title);
    put(written(words, 'p', 'formula'), step.formula);
    put(written(words, 'p'), step.text);
    const pictures = written(item, 'div', 'pictures');
    step.arrays.forEach((array) => addArray(pictures, array, arrays[array.name], arrays[array.colors]));
    return item;
  });
  list.replaceChildren(...items);
}

function saveEverything() {
  const ask = () => server.export_numbers(props.value.request);
  return downloadFrom(ask, status, 'transformer.numbers.making');
}

everything.addEventListener('click', saveEverything);
document.addEventListener('reworded', () => readers.forEach((read) => read()));
show();
watch('value', show);
