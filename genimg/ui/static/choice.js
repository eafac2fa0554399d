// A list to choose from. value: what is chosen; choices: of each [what to show, value],
// or one text for both; label.
// "input" comes when somebody has chosen something else, and never because a list was opened,
// left or given its old value again. "focus" comes before a list is opened: it may have grown.
const select = element.querySelector('select');
const title = element.querySelector('span');

let known = FIRST_CHOICES; // written before this script: an update may say nothing of the choices
const entries = () => known.map((entry) => [entry].flat());
const textOf = ([text]) => text;
const valueOf = (entry) => entry[entry.length - 1];

function show() {
  known = props.choices ?? known;
  const texts = entries().map(textOf);
  title.textContent = props.label;
  const shown = Array.from(select.options, (option) => option.text);
  if (JSON.stringify(shown) !== JSON.stringify(texts)) {
    select.replaceChildren(...texts.map((text) => new Option(text)));
  }
  select.selectedIndex = entries().map(valueOf).indexOf(props.value);
  select.title = select.selectedOptions[0]?.text ?? '';
}

select.addEventListener('change', () => {
  const value = valueOf(entries()[select.selectedIndex]);
  if (value === props.value) return;
  props.value = value;
  select.title = select.selectedOptions[0].text;
  trigger('input');
});
for (const event of ['focus', 'pointerenter']) select.addEventListener(event, () => trigger('focus'));
show();
watch(['value', 'choices', 'label'], show);
