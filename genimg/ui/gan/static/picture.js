// Comes after helpers.js.
// A picture that a slider drives. value: {src, caption: words, query?}
// Nothing from the server becomes HTML: it is set as an attribute or as text.
// When the picture has rested for a moment, its link goes to the address bar and "settled" is
// raised: what is too slow to follow a drag (the neighbours) follows that.
const image = element.querySelector('img');
const caption = element.querySelector('figcaption');
const QUIET_MILLISECONDS = 250;
let timer = null;

function show() {
  if (!props.value) {
    image.removeAttribute('src');
    put(caption, '');
    return;
  }
  image.src = props.value.src;
  put(caption, props.value.caption);
  putOn(image, 'alt', props.value.caption);
}

function settle() {
  clearTimeout(timer);
  timer = null;
  const names = ['model', 'seed', 'label', 'truncation', 'after', 'directions', 'latents', 'code', 'noise'];
  writeAddress(names, props.value.query);
  trigger('settled');
  tell();
}

function tell() {
  if (props.value?.query) document.dispatchEvent(new CustomEvent('settled', { detail: props.value }));
}

show();
// The first picture never settles: whoever wants to know it asks, or hears of it now.
document.addEventListener('ask-what-settled', () => { if (timer === null) tell(); });
tell();
// Who keeps, saves or undoes what is on the screen does not wait until it has rested.
document.addEventListener('settle-now', () => { if (timer !== null) settle(); });
watch('value', () => {
  show();
  if (!props.value?.query) return;
  clearTimeout(timer);
  timer = setTimeout(settle, QUIET_MILLISECONDS);
});
