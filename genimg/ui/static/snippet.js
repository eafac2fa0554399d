// Code with a button that copies it. value: the text
// Comes after helpers.js.
const code = element.querySelector('code');
const button = element.querySelector('button');

function show() { code.textContent = props.value ?? ''; }

button.addEventListener('click', () => copyText(code, button));
show();
watch('value', show);
