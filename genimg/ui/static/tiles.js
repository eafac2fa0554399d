// What a model was given, and what it made of it. value: {given, pictures, caption}
const given = element.querySelector('.given img');
const made = element.querySelector('.made');
const caption = element.querySelector('.caption');

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
  caption.textContent = props.value.caption;
}

made.addEventListener('older', () => {
  if (props.value) caption.textContent = 'These were made of what was here before; Complete makes new ones.';
});
show();
watch('value', show);
