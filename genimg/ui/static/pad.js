// A picture of a model's own size, to draw, upload or pick. value: {checkpoint, size, channels,
// pixels, number, caption, note, count, lightOnBlack} and, where cells can be hidden, {rows,
// columns, hidden}; see pad.py. pixels is base64 of the raw bytes: upload.js opens a file, which
// never leaves the browser. number is that of the test picture shown, or null.
// Every finished change raises "drawn". What is on the pad stays in this browser tab's own memory, so
// that a reload shows it again, once the document's event "linked" says that the other controls are
// as the address wants them; where it differs from the value, "restored" is raised.
const SCALE = 16; // pixels on the canvas for each pixel of the picture, so that lines can be thin
const LIGHT_GROUND = 127;

const find = (selector) => element.querySelector(selector);
const canvas = find('canvas');
const context = canvas.getContext('2d');
const status = find('[role=status]');
const chooser = find('input[type=file]');
const numberField = find('.number input');
const rowsField = find('.rows input');
const small = document.createElement('canvas');

let pixels = new Uint8Array(); // rows from the top, the channels of a pixel together
let hidden = []; // one boolean for each cell, or nothing where cells cannot be hidden
let number = null;
let caption = '';
let tool = 'draw';
let cursor = { x: 0, y: 0 }; // of the keyboard, in pixels of the picture
let stroke = null; // {base, coverage, last} while drawing, {hide} while hiding cells
let original = null; // the last uploaded picture that was not square, to crop or pad it again
let reloaded = true; // until what was here before a reload is back, or something new is drawn
let linked = false;
let asked = 0; // counts the questions to the server: only the answer to the last one is shown

// ------------------------------------------------------------------------------------- the value

function say(sentence) { status.textContent = sentence; }

function load() {
  const value = props.value;
  if (!value) return;
  pixels = Uint8Array.from(atob(value.pixels), (letter) => letter.charCodeAt(0));
  hidden = Array.from(value.hidden ?? '', (cell) => cell === '1');
  ({ number, caption } = value);
  keepAsItIs();
  say('');
  canvas.width = canvas.height = value.size * SCALE;
  small.width = small.height = value.size;
  cursor = { x: value.size >> 1, y: value.size >> 1 };
  const pixelsLeave = `Only its ${value.size} × ${value.size} pixels leave your browser.`;
  find('.note').textContent = [value.note, pixelsLeave].filter(Boolean).join(' ');
  find('.shade').hidden = value.channels !== 1;
  find('.paint').hidden = value.channels !== 3;
  find('.number').hidden = value.count === 0;
  numberField.max = value.count - 1;
  const hides = value.rows !== undefined;
  find('[data-tool=hide]').hidden = find('.rows').hidden = !hides;
  rowsField.max = value.rows ?? 0;
  choose(hides ? 'hide' : 'draw');
  show();
  if (reloaded && linked) restore();
}

// The nearest id is one that Gradio draws at random for each load of the page; the block's is ours.
const NAME = element.closest('.block').id;
const KEY = `genimg-${NAME}`;

function restore() {
  const { checkpoint, size, channels, rows, columns } = props.value;
  let kept = null;
  try { kept = JSON.parse(sessionStorage.getItem(KEY)); } catch { /* some browsers forbid it */ }
  const same = (kept ? [kept.checkpoint, kept.size, kept.channels, kept.rows, kept.columns] : []).join()
    === [checkpoint, size, channels, rows, columns].join();
  if (!same) return;
  reloaded = false;
  if (kept.pixels === props.value.pixels && kept.hidden === props.value.hidden) return;
  props.value = { ...props.value, ...kept };
  load();
  trigger('restored');
}

document.addEventListener('linked', ({ detail }) => {
  if (detail !== NAME) return;
  linked = true;
  if (reloaded) restore();
});

function remember() {
  try { sessionStorage.setItem(KEY, JSON.stringify(props.value)); } catch { /* then a reload begins anew */ }
}

function tell() {
  const cells = hidden.length ? { hidden: hidden.map((cell) => (cell ? '1' : '0')).join('') } : {};
  const text = btoa(Array.from(pixels, (byte) => String.fromCharCode(byte)).join(''));
  props.value = { ...props.value, pixels: text, number, caption, ...cells };
  reloaded = false;
  remember();
  trigger('drawn');
}

// What is drawn upon, or is another picture, cannot be cropped anew: that would undo the work.
function keepAsItIs() {
  original = null;
  find('.crop').hidden = true;
}

// The lower half, so that there is something to complete.
function hideHalf() {
  const { rows, columns } = props.value;
  hidden = hidden.map((_, i) => i >= (rows >> 1) * columns);
}

function replace(bytes, newCaption, newNumber = null) {
  [pixels, caption, number] = [bytes, newCaption, newNumber];
  keepAsItIs();
  show();
  tell();
}

// --------------------------------------------------------------------------------------- drawing

function show() {
  const { size, channels, rows } = props.value;
  const image = new ImageData(size, size);
  for (let i = 0; i < size * size; i += 1) {
    for (let c = 0; c < 3; c += 1) {
      image.data[4 * i + c] = pixels[channels * i + (channels === 3 ? c : 0)];
    }
    image.data[4 * i + 3] = 255;
  }
  small.getContext('2d').putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  if (hidden.length) showCells();
  if (canvas.matches(':focus-visible')) showCursor();
  find('.caption').textContent = caption;
  canvas.setAttribute('aria-label', `${caption}, ${size} by ${size} pixels. Arrow keys move, Space`
    + ' uses the tool.');
  numberField.value = number ?? '';
  if (hidden.length) {
    const firstHidden = hidden.indexOf(true);
    const kept = firstHidden < 0 ? rows : Math.floor(firstHidden / props.value.columns);
    rowsField.value = kept;
    find('.rows output').textContent = `${kept} of ${rows}`;
  }
}

function showCells() {
  const { rows, columns } = props.value;
  const [height, width] = [canvas.height / rows, canvas.width / columns];
  hidden.forEach((cell, i) => {
    const [x, y] = [(i % columns) * width, Math.floor(i / columns) * height];
    context.strokeStyle = 'rgba(128, 128, 128, 0.28)';
    context.lineWidth = 1;
    context.strokeRect(x + 0.5, y + 0.5, width, height);
    if (!cell) return;
    context.save();
    context.beginPath();
    context.rect(x, y, width, height);
    context.clip();
    context.fillStyle = 'rgba(112, 108, 102, 0.86)';
    context.fill();
    context.strokeStyle = 'rgba(255, 255, 255, 0.2)';
    context.lineWidth = 2;
    for (let d = -height; d < width; d += 16) { // lines that go on in the next cell
      context.moveTo(x + d, y + height);
      context.lineTo(x + d + height, y);
    }
    context.stroke();
    context.restore();
  });
}

function showCursor() {
  const { width, height } = tool === 'hide' ? cellSize() : { width: 1, height: 1 };
  const [x, y] = [Math.floor(cursor.x / width) * width, Math.floor(cursor.y / height) * height];
  for (const [color, line] of [['#000', 6], ['#fff', 3]]) { // seen on light and on dark
    context.strokeStyle = color;
    context.lineWidth = line;
    context.strokeRect(x * SCALE, y * SCALE, width * SCALE, height * SCALE);
  }
}

function cellSize() {
  const { size, rows, columns } = props.value;
  return { width: size / columns, height: size / rows };
}

function ink() {
  if (tool === 'erase') return [0, 0, 0];
  if (props.value.channels === 1) return [Number(find('.shade input').value)];
  return find('.paint input').value.match(/[0-9a-f]{2}/gi).map((part) => parseInt(part, 16));
}

// A pixel takes the most that any point of the stroke gives it, so that a soft edge stays soft
// however slowly the hand moves.
function brush(from, to) {
  const { size, channels } = props.value;
  const radius = Number(find('.width input').value) / 2;
  const color = ink();
  const steps = Math.max(1, Math.ceil(2 * Math.hypot(to.x - from.x, to.y - from.y)));
  for (let step = 0; step <= steps; step += 1) {
    const x = from.x + ((to.x - from.x) * step) / steps - 0.5;
    const y = from.y + ((to.y - from.y) * step) / steps - 0.5;
    const [top, left] = [y, x].map((middle) => Math.max(0, Math.floor(middle - radius - 1)));
    const [bottom, right] = [y, x].map((m) => Math.min(size - 1, Math.ceil(m + radius + 1)));
    for (let row = top; row <= bottom; row += 1) {
      for (let column = left; column <= right; column += 1) {
        const reach = (radius + 0.75 - Math.hypot(row - y, column - x)) / 1.5;
        const i = row * size + column;
        stroke.coverage[i] = Math.max(stroke.coverage[i], Math.min(1, Math.max(0, reach)));
        for (let c = 0; c < channels; c += 1) {
          const before = stroke.base[channels * i + c];
          pixels[channels * i + c] = before + (color[c] - before) * stroke.coverage[i];
        }
      }
    }
  }
}

function cellAt({ x, y }) {
  const { width, height } = cellSize();
  return Math.floor(y / height) * props.value.columns + Math.floor(x / width);
}

function begin(at) {
  if (tool === 'hide') {
    stroke = { hide: !hidden[cellAt(at)] }; // from a hidden cell on, the brush uncovers
  } else {
    const coverage = new Float32Array(props.value.size ** 2);
    stroke = { base: pixels.slice(), coverage, last: at };
    if (number !== null) [number, caption] = [null, `${caption}, changed`];
    keepAsItIs();
  }
  move(at);
}

function move(at) {
  if (tool === 'hide') {
    hidden[cellAt(at)] = stroke.hide;
  } else {
    brush(stroke.last, at);
    stroke.last = at;
  }
  show();
}

function end() {
  if (!stroke) return;
  stroke = null;
  tell();
}

function pointOf(event) {
  const { size } = props.value;
  const box = canvas.getBoundingClientRect();
  const inside = (share) => Math.min(size - 0.001, Math.max(0, share * size));
  return {
    x: inside((event.clientX - box.left) / box.width),
    y: inside((event.clientY - box.top) / box.height),
  };
}

canvas.addEventListener('pointerdown', (event) => {
  if (event.button !== 0) return;
  canvas.setPointerCapture(event.pointerId);
  begin(pointOf(event));
});
canvas.addEventListener('pointermove', (event) => {
  if (!stroke) return;
  for (const one of event.getCoalescedEvents?.() ?? []) move(pointOf(one));
  move(pointOf(event));
});
canvas.addEventListener('pointerup', end);
canvas.addEventListener('pointercancel', end);
canvas.addEventListener('focus', show);
canvas.addEventListener('blur', show);
canvas.addEventListener('keydown', (event) => {
  const { width, height } = tool === 'hide' ? cellSize() : { width: 1, height: 1 };
  const moves = {
    ArrowLeft: [-width, 0], ArrowRight: [width, 0], ArrowUp: [0, -height], ArrowDown: [0, height],
  };
  const last = props.value.size - 1;
  if (event.key in moves) {
    const [x, y] = moves[event.key];
    cursor.x = Math.min(last, Math.max(0, cursor.x + x));
    cursor.y = Math.min(last, Math.max(0, cursor.y + y));
    show();
  } else if (event.key === ' ' || event.key === 'Enter') {
    begin({ x: cursor.x + 0.5, y: cursor.y + 0.5 });
    end();
  } else {
    return;
  }
  event.preventDefault();
});

// --------------------------------------------------------------------------------------- uploads

async function read(file) {
  try {
    fit(await openPicture(file));
  } catch (error) {
    say(error.message);
  }
}

function fit(bitmap) {
  const { size, channels, lightOnBlack } = props.value;
  const bytes = shrink(bitmap, size, channels, find('.crop input').checked);
  replace(bytes, 'Your upload');
  original = bitmap;
  find('.crop').hidden = bitmap.width === bitmap.height;
  const light = lightOnBlack && groundOf(bytes, size, channels) > LIGHT_GROUND;
  say(light ? 'Its ground is light: Invert makes it like what the model knows.' : '');
}

chooser.addEventListener('change', () => {
  if (chooser.files.length) read(chooser.files[0]);
  chooser.value = ''; // so that the same file can be chosen again
});
find('.crop input').addEventListener('change', () => fit(original));

// --------------------------------------------------------------------------------------- buttons

function choose(name) {
  tool = name;
  for (const button of element.querySelectorAll('[data-tool]')) {
    button.setAttribute('aria-pressed', String(button.dataset.tool === name));
  }
  find('.brush').hidden = name === 'hide';
}

async function pick(wanted) {
  const question = (asked += 1);
  let answer = { error: 'The server did not answer; try again.' };
  try {
    answer = await server.held_out({ checkpoint: props.value.checkpoint, number: wanted });
  } catch { /* the sentence above is shown */ }
  if (question !== asked) return;
  say(answer.error ?? '');
  if (answer.error) return;
  if (!hidden.includes(true)) hideHalf();
  const bytes = Uint8Array.from(atob(answer.pixels), (letter) => letter.charCodeAt(0));
  replace(bytes, answer.caption, answer.number);
}

function save() {
  small.toBlob((file) => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(file);
    link.download = 'picture.png';
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

const ACTIONS = {
  clear: () => {
    say('');
    hideHalf();
    choose('draw'); // an empty picture is there to be drawn upon
    replace(new Uint8Array(pixels.length), 'Your own drawing');
  },
  invert: () => {
    say('');
    replace(pixels.map((byte) => 255 - byte), caption.endsWith(', inverted')
      ? caption.slice(0, -', inverted'.length) : `${caption}, inverted`);
  },
  save,
  upload: () => chooser.click(),
  random: () => pick(null),
};
for (const button of element.querySelectorAll('[data-do]')) {
  button.addEventListener('click', ACTIONS[button.dataset.do]);
}
for (const button of element.querySelectorAll('[data-tool]')) {
  button.addEventListener('click', () => { choose(button.dataset.tool); show(); });
}
numberField.addEventListener('change', () => {
  if (numberField.value !== '') pick(Number(numberField.value));
});
rowsField.addEventListener('input', () => {
  const kept = Number(rowsField.value) * props.value.columns;
  hidden = hidden.map((_, i) => i >= kept);
  show();
});
rowsField.addEventListener('change', tell);

load();
watch('value', load);
