// What a run will need, or why it cannot be. value: {level, text, remedy: {label, tokenizer}}; words.
const line = element.querySelector('p');
const mend = element.querySelector('button');

function show() {
  put(line, props.value?.text ?? '');
  line.dataset.level = props.value?.level ?? '';
  mend.hidden = !props.value?.remedy;
  put(mend, props.value?.remedy?.label ?? '');
}

mend.addEventListener('click', () => trigger('mend', { tokenizer: props.value.remedy.tokenizer }));
show();
watch('value', show);
