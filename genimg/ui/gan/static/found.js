// Says that the picture on the stage was found for a picture of the visitor's.
// value: its code as text, or '' while the stage shows the seed's own.
const block = element.closest('.block');

function show() { block.hidden = !props.value; }

show();
watch('value', show);
