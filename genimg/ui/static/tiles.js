// What a model was given, and what it made of it. value: {given, pictures, caption, controls};
// controls: the values of all controls that it was made with, the pad's second.
const given = element.querySelector('.given img');
const made = element.querySelector('.made');
const caption = element.querySelector('.caption');
let before = null; // what the pictures that were here last were made with

// Of a pad only the picture and what is hidden count: its caption and its notes change nothing.
function spelled([checkpoint, { pixels, hidden }, ...others]) {
  return JSON.stringify([checkpoint, pixels, hidden, ...others]);
}

function show() {
  if (!props.value) return;
  given.src = props.value.given;
  const images = props.value.pictures.map((address, i) => {
    const image = document.createElement('img');
    image.src = address;
    image.alt = `Picture ${i + 1} of ${props.value.pictures.length}`;
    return image;
  });
  made.replaceChildren(...images);
  const now = spelled(props.value.controls);
  const same = now === before ? ' The same pictures as before: another seed gives others.' : '';
  caption.textContent = props.value.caption + same;
  before = now;
}

made.addEventListener('controls', ({ detail }) => {
  if (!props.value) return;
  caption.textContent = spelled(detail) === before ? props.value.caption
    : 'These were made of what was here before; Complete makes new ones.';
});
show();
watch('value', show);
