// A seed for each layer of the generator. value: {src, seeds, sizes}, sizes in pixels a side.
// Comes after here.js. "mix" carries {here, seeds}.
const button = element.querySelector('.mix');
const mixed = element.querySelector('.mixed');
const group = element.querySelector('.seeds');
const image = mixed.querySelector('img');
const fields = () => [...group.querySelectorAll('input')];

function ask() {
  if (fields().every((field) => field.checkValidity())) {
    trigger('mix', { here: here(), seeds: fields().map(({ value }) => Number(value)) });
  }
}

function layer(size, i) {
  const label = document.createElement('label');
  const field = document.createElement('input');
  Object.assign(field, { type: 'number', min: 0, max: 2 ** 32 - 1, step: 1, required: true });
  const words = document.createElement('span');
  put(words, 'gan.layers.layer', { number: i + 1, size });
  label.append(words, field);
  field.addEventListener('change', ask);
  return label;
}

function show() {
  mixed.hidden = !props.value;
  if (!props.value) return;
  const { src, seeds, sizes } = props.value;
  if (group.children.length !== sizes.length) group.replaceChildren(...sizes.map(layer));
  fields().forEach((field, i) => { field.value = seeds[i]; });
  image.src = src;
  putOn(image, 'alt', 'gan.layers.picture', { seeds: seeds.map(String) });
}

button.addEventListener('click', ask);
show();
watch('value', show);
