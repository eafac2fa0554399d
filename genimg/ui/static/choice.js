// A list to choose from. value: what is chosen; choices: of each [what to show, value],
// or one text for both. What is shown are words (static/words.js), and CALLED are those above it.
// "input" comes when somebody has chosen something else, and never because a list was opened,
// left or given its old value again. "focus" comes before a list is opened: it may have grown.
const select = element.querySelector('select');

let known = FIRST_CHOICES; // written before this script: an update may say nothing of the choices
put(element.querySelector('span'), CALLED);
let listed = ''; // what is in the list, as JSON
const entries = () => known.map((entry) => [entry].flat());
const wordsOf = ([words]) => words;
const valueOf = (entry) => entry[entry.length - 1];

function show() {
  known = props.choices ?? known;
  const words = entries().map(wordsOf);
  if (JSON.stringify(words) !== listed) {
    listed = JSON.stringify(words);
    select.replaceChildren(...words.map((each) => {
      const option = new Option();
      put(option, each);
      return option;
    }));
  }
  select.selectedIndex = entries().map(valueOf).indexOf(props.value);
  explain();
}

// The chosen entry may be too long for its field.
function explain() {
  putOn(select, 'title', entries()[select.selectedIndex]?.[0] ?? '');
}

select.addEventListener('change', () => {
  const value = valueOf(entries()[select.selectedIndex]);
  if (value === props.value) return;
  props.value = value;
  explain();
  trigger('input');
});
for (const event of ['focus', 'pointerenter']) select.addEventListener(event, () => trigger('focus'));
show();
watch(['value', 'choices'], show);
