// Says that the picture on the stage was found for a picture of the visitor's, and leads back.
// value: the code of the found picture as text, or '' while the stage shows the seed's own.
// The button raises "back".
const block = element.closest('.block');

function show() { block.hidden = !props.value; }

element.querySelector('button').addEventListener('click', () => trigger('back'));
show();
watch('value', show);
