// What a model was given, and what it made of it. value: {given, pictures, caption, controls, query?};
// controls: the values of all controls that it was made with, the pad's second; query, for the
// address, of what somebody asked for. Comes after helpers.js.
const given = element.querySelector('.given img');
const made = element.querySelector('.made');
const caption = element.querySelector('.caption');
const NAMES = ['completer', 'completion', 'pictures', 'completion_class', 'completion_temperature', 'completion_top_p'];
let shown = null; // the value that is on the screen
let before = null; // what the pictures that were here last were made with

// Of a pad only the picture and what is hidden count: its caption and its notes change nothing.
function spelled([checkpoint, { pixels, hidden }, ...others]) {
  return JSON.stringify([checkpoint, pixels, hidden, ...others]);
}

function show() {
  // What somebody asked for is not replaced by what the page began with, should that come later.
  if (!props.value || (shown?.asked && !props.value.asked)) return;
  shown = props.value;
  given.src = shown.given;
  const images = shown.pictures.map((address, i) => {
    const image = document.createElement('img');
    image.src = address;
    putOn(image, 'alt', 'transformer.complete.picture', { number: i + 1, all: shown.pictures.length });
    return image;
  });
  made.replaceChildren(...images);
  const now = spelled(shown.controls);
  if (now === before) put(caption, 'transformer.complete.same', { caption: shown.caption });
  else put(caption, shown.caption);
  before = now;
  if (shown.query) writeAddress(NAMES, shown.query);
}

made.addEventListener('controls', ({ detail }) => {
  if (!shown) return;
  put(caption, spelled(detail) === before ? shown.caption : 'transformer.complete.changed');
});
show();
watch('value', show);
