// What a run will need, or why it cannot be. value: {level, text}; set as text.
const line = element.querySelector('p');

function show() {
  line.textContent = props.value?.text ?? '';
  line.dataset.level = props.value?.level ?? '';
}

show();
watch('value', show);
