// Pictures side by side, each a button. value: {src, caption, columns, cells, query?, texts?}
// src: all of them as one picture; cells: the words that call each, row after row; texts: what is
// written below each. "choose" carries {cell, query}: which one, and of which sheet, as the value said.
// One of them is in the order of the Tab key; from it the arrow keys lead to the others.
const image = element.querySelector('img');
const caption = element.querySelector('figcaption');
const group = element.querySelector('.buttons');
let buttons = [];
let listed = ''; // what they are called, as JSON
let reached = 0;

function reach(cell) {
  reached = Math.min(Math.max(cell, 0), buttons.length - 1);
  buttons.forEach((button, i) => { button.tabIndex = i === reached ? 0 : -1; });
}

function made(name, cell) {
  const button = document.createElement('button');
  button.type = 'button';
  putOn(button, 'aria-label', name);
  putOn(button, 'title', name);
  button.textContent = props.value.texts?.[cell] ?? '';
  button.addEventListener('focus', () => reach(cell));
  button.addEventListener('click', () => trigger('choose', { cell, query: props.value.query ?? '' }));
  return button;
}

function show() {
  const block = element.closest('.block');
  block.hidden = !props.value?.src;
  if (block.hidden) return;
  const { src, columns, cells } = props.value;
  image.src = src;
  put(caption, props.value.caption);
  putOn(image, 'alt', props.value.caption);
  group.style.gridTemplateColumns = `repeat(${columns}, 1fr)`;
  // Kept where they can be, so that the focus stays.
  const called = JSON.stringify(cells);
  if (called === listed) return;
  listed = called;
  buttons = cells.map(made);
  group.classList.toggle('named', Boolean(props.value.texts));
  group.replaceChildren(...buttons);
  reach(reached);
}

group.addEventListener('keydown', (event) => {
  const columns = props.value.columns;
  const steps = {
    ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -Infinity, End: Infinity,
  };
  const step = steps[event.key];
  if (step === undefined) return;
  event.preventDefault();
  if (Number.isFinite(step) && !buttons[reached + step]) return;
  reach(reached + step);
  buttons[reached].focus();
});
show();
watch('value', show);
