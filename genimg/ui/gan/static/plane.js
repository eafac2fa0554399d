// A map of the plane through three pictures. value: {src, side, slots: [{query, src, caption} x 3]}
// src: all of them as one picture; a caption is words. Comes after here.js. Nothing is asked while a point is dragged.
// "draw" carries {here, slots, put?}, "use" {slots, row, column}; slots are queries.
const slots = element.querySelector('.slots');
const drawn = element.querySelector('.drawn');
const field = element.querySelector('.field');
const sheet = field.querySelector('img');
const marker = element.querySelector('.chosen');
const canvas = element.querySelector('canvas');
const status = element.querySelector('[role=status]');
let [row, column] = [0, 0];

const queries = () => (props.value?.slots ?? []).map(({ query }) => query);

function slot({ src, caption }, i) {
  const figure = document.createElement('figure');
  const image = document.createElement('img');
  const words = document.createElement('figcaption');
  const button = document.createElement('button');
  image.src = src;
  putOn(image, 'alt', caption);
  put(words, 'gan.plane.slot', { place: 'ABC'[i], caption });
  button.type = 'button';
  put(button, 'gan.plane.put');
  putOn(button, 'aria-label', 'gan.plane.put_at', { place: 'ABC'[i] });
  button.addEventListener('click', () => trigger('draw', { here: here(), slots: queries(), put: i }));
  figure.append(image, words, button);
  return figure;
}

// The shares of A, B and C, as `plane_weights` in genimg/explore/combining.py has them.
function spell() {
  const last = props.value.side - 1;
  const shares = [last - column, column - row, row].map((share) => share / last);
  const parts = shares.map((share, i) => [share, 'ABC'[i]]).filter(([share]) => share !== 0);
  return parts.map(([share, name], i) => {
    const size = Math.abs(share) === 1 ? '' : `${Math.abs(share).toFixed(2)} `;
    const sign = i === 0 ? (share < 0 ? '−' : '') : (share < 0 ? ' − ' : ' + ');
    return `${sign}${size}${name}`;
  }).join('');
}

function show() {
  const { side } = props.value;
  const pixels = sheet.naturalWidth / side;
  marker.style.inset = `${(100 * row) / side}% auto auto ${(100 * column) / side}%`;
  marker.style.width = marker.style.height = `${100 / side}%`;
  canvas.width = canvas.height = pixels;
  canvas.getContext('2d').drawImage(
    sheet, column * pixels, row * pixels, pixels, pixels, 0, 0, pixels, pixels,
  );
  status.textContent = spell();
}

async function load() {
  drawn.hidden = !props.value;
  if (!props.value) return;
  slots.replaceChildren(...props.value.slots.map(slot));
  sheet.src = props.value.src;
  try {
    await sheet.decode();
  } catch {
    return; // a newer map has taken its place
  }
  const last = props.value.side - 1;
  [row, column] = [Math.min(row, last), Math.min(column, last)];
  show();
}

function move(event) {
  const { left, top, width, height } = field.getBoundingClientRect();
  const cell = (share) => Math.min(Math.max(Math.floor(share * props.value.side), 0), props.value.side - 1);
  row = cell((event.clientY - top) / height);
  column = cell((event.clientX - left) / width);
  show();
}

const use = () => trigger('use', { slots: queries(), row, column });

field.addEventListener('pointerdown', (event) => {
  field.setPointerCapture(event.pointerId);
  move(event);
});
field.addEventListener('pointermove', (event) => {
  if (field.hasPointerCapture(event.pointerId)) move(event);
});
field.addEventListener('keydown', (event) => {
  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  if (event.key === 'Enter') use();
  else if (steps[event.key]) {
    const last = props.value.side - 1;
    row = Math.min(Math.max(row + steps[event.key][0], 0), last);
    column = Math.min(Math.max(column + steps[event.key][1], 0), last);
    show();
  } else return;
  event.preventDefault();
});
element.querySelector('.draw').addEventListener('click', () => {
  trigger('draw', { here: here(), slots: queries() });
});
element.querySelector('.use').addEventListener('click', use);
load();
watch('value', load);
