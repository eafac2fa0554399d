// A picture of a model's own size, to draw, upload or pick. value: {checkpoint, size, channels,
// pixels, number, caption: words, count, lightOnBlack} and, where cells can be hidden, {rows,
// columns, hidden}; see pad.py. pixels is base64 of the raw bytes: upload.js opens a file, which
// never leaves the browser. number is that of the test picture shown, or null.
// Every finished change raises "drawn". What is on the pad stays in this browser tab's own memory, so
// that a reload shows it again, once the document's event "linked" says that the other controls are
// as the address wants them; where it differs from the value, "restored" is raised.
const SCALE = 16; // pixels on the canvas for each pixel of the picture, so that lines can be thin
const LIGHT_GROUND = 127;
const MOST_UNDONE = 50;

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
let caption = ''; // words
let tool = 'draw';
let cursor = { x: 0, y: 0 }; // of the keyboard, in pixels of the picture
let stroke = null; // {base, coverage, last} while drawing, {hide} while hiding cells
let original = null; // the last uploaded picture that was not square, to crop or pad it again
let reloaded = true; // until what was here before a reload is back, or something new is drawn
let linked = false;
let past = []; // what can be undone, the newest last: each as kept() returns it
let present = null; // what was last told, or came from elsewhere
let asked = 0; // counts the questions to the server: only the answer to the last one is shown

function report(words) { put(status, words); }

function load() {
  const value = props.value;
  if (!value) return;
  pixels = Uint8Array.from(atob(value.pixels), (letter) => letter.charCodeAt(0));
  hidden = Array.from(value.hidden ?? '', (cell) => cell === '1');
  ({ number, caption } = value);
  keepAsItIs();
  report('');
  canvas.width = canvas.height = value.size * SCALE;
  small.width = small.height = value.size;
  cursor = { x: value.size >> 1, y: value.size >> 1 };
  const pixelsLeave = { say: 'pad.pixels', size: value.size };
  const note = { say: 'frame.both', first: { say: 'pad.light_on_black' }, second: pixelsLeave };
  put(find('.note'), value.lightOnBlack ? note : pixelsLeave);
  find('.shade').hidden = value.channels !== 1;
  find('.paint').hidden = value.channels !== 3;
  find('.number').hidden = value.count === 0;
  numberField.max = value.count - 1;
  const hides = value.rows !== undefined;
  find('[data-tool=hide]').hidden = find('.rows').hidden = !hides;
  rowsField.max = value.rows ?? 0;
  choose(hides ? 'hide' : 'draw');
  show();
  [past, present] = [[], kept()];
  showUndo();
  if (reloaded && linked) restore();
}

// The nearest id is one that Gradio draws at random for each load of the page; the block's is ours.
const NAME = element.closest('.block').id;
const KEY = `genimg-${NAME}`;

function restore() {
  const { checkpoint, size, channels, rows, columns } = props.value;
  let old = null;
  try { old = JSON.parse(sessionStorage.getItem(KEY)); } catch { /* some browsers forbid it */ }
  const same = (old ? [old.checkpoint, old.size, old.channels, old.rows, old.columns] : []).join()
    === [checkpoint, size, channels, rows, columns].join();
  if (!same) return;
  reloaded = false;
  if (old.pixels === props.value.pixels && old.hidden === props.value.hidden) return;
  props.value = { ...props.value, ...old };
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

function kept() { return { pixels: pixels.slice(), hidden: hidden.slice(), number, caption }; }

function showUndo() { find('[data-do=undo]').disabled = past.length === 0; }

function undo() {
  if (stroke || !past.length) return;
  const [before] = past.splice(-1);
  keepAsItIs();
  [{ number, caption }, pixels, hidden] = [before, before.pixels.slice(), before.hidden.slice()];
  report('');
  show();
  tell();
  past.pop(); // what `tell` has just added
  showUndo();
}

// The picture, or which cells are hidden, has changed.
function tell() {
  past = [...past, present].slice(-MOST_UNDONE);
  present = kept();
  showUndo();
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
