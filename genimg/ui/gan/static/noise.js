// Which noise the layers have. value: "own", "off" or a seed as text.
const buttons = element.querySelectorAll('button');
const LARGEST = 10_000; // short enough to read out, as other seeds are

function show() {
  const shown = ['own', 'off'].includes(props.value) ? props.value : 'new';
  for (const button of buttons) button.ariaPressed = String(button.dataset.noise === shown);
}

function another() {
  const drawn = String(Math.floor(Math.random() * LARGEST));
  return drawn === props.value ? another() : drawn;
}

for (const button of buttons) {
  button.addEventListener('click', () => {
    const wanted = button.dataset.noise;
    props.value = wanted === 'new' ? another() : wanted;
    show();
  });
}
show();
watch('value', show);
