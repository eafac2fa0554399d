// A button that asks something about the picture on the stage. value: its words. After here.js.
const button = element.querySelector('button');
put(button, props.value);
button.addEventListener('click', () => trigger('ask', { here: here() }));
