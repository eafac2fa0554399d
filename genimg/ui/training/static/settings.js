// The form of all settings of a preset, made from its configurations; see training/form.py.
// value: {preset, sections: [{title, fields}], changes: {name: value}, intent}
// Only what differs from the preset's own value is a change. Nothing becomes HTML.
const list = element.querySelector('.sections');
const summary = element.querySelector('summary');
const DOUBLE_CLICK_MILLISECONDS = 2000;
let shown = null;

function make(tag, className, words = '') {
  const made = document.createElement(tag);
  made.className = className;
  put(made, words);
  return made;
}

function count() {
  const changed = Object.keys(props.value.changes ?? {}).length;
  if (changed) put(summary, 'training.settings.changed', { count: changed });
  else put(summary, 'training.settings.advanced');
}

function tell(changes) {
  props.value = { ...props.value, changes };
  shown = JSON.stringify([props.value.preset, changes]);
  count();
  trigger('changed');
}

function rangeOf({ kind, low, high }) {
  if (kind !== 'whole' && kind !== 'number' && kind !== 'list') return '';
  if (low === null && high === null) return '';
  if (high === null) return { say: 'training.settings.at_least', low: String(low) };
  if (low === null) return { say: 'training.settings.at_most', high: String(high) };
  return { say: 'training.settings.from_to', low: String(low), high };
}

function inputOf(field) {
  if (field.kind === 'choice') {
    const select = document.createElement('select');
    // The names of choices are those of the command line, in every language.
    field.choices.forEach((choice) => { select.add(new Option(String(choice))); });
    select.lang = 'en';
    return select;
  }
  const input = document.createElement('input');
  input.type = { switch: 'checkbox', whole: 'number', number: 'number' }[field.kind] ?? 'text';
  if (input.type === 'number') {
    input.step = field.kind === 'whole' ? 1 : 'any';
    if (field.low !== null) input.min = field.low;
    if (field.high !== null) input.max = field.high;
  }
  return input;
}

function write(field, input, value) {
  if (field.kind === 'choice') input.selectedIndex = field.choices.findIndex((choice) => String(choice) === String(value));
  else if (field.kind === 'switch') input.checked = value;
  else input.value = value;
}

function read(field, input) {
  if (field.kind === 'choice') return field.choices[input.selectedIndex];
  if (field.kind === 'switch') return input.checked;
  if (input.value.trim() === '') return field.value;
  return input.type === 'number' ? Number(input.value) : input.value.trim();
}

function rowOf(field) {
  const row = make('div', 'field');
  const label = make('label', '', '');
  label.append(make('span', '', field.label));
  const input = inputOf(field);
  input.dataset.name = field.name;
  label.append(input);
  const range = rangeOf(field);
  const help = make('p', '', range ? { say: 'frame.both', first: field.help, second: range } : field.help);
  const back = make('button', 'back', 'training.settings.back');
  back.type = 'button';
  row.append(label, help, back);
  const show = () => {
    const changed = field.name in props.value.changes;
    row.classList.toggle('changed', changed);
    back.hidden = !changed;
  };
  input.addEventListener('change', () => {
    const { [field.name]: old, ...others } = props.value.changes;
    const value = read(field, input);
    const same = String(value) === String(field.value);
    if (same) write(field, input, field.value);
    tell(same ? others : { ...others, [field.name]: value });
    show();
  });
  back.addEventListener('click', () => {
    const { [field.name]: old, ...others } = props.value.changes;
    write(field, input, field.value);
    tell(others);
    show();
  });
  write(field, input, props.value.changes[field.name] ?? field.value);
  show();
  return row;
}

// A new intent for the next run, but not so soon that a double click would start two.
function renewIntent() {
  const numbers = crypto.getRandomValues(new Uint32Array(4));
  props.value = { ...props.value, intent: Array.from(numbers, (n) => n.toString(36)).join('') };
}

function show() {
  if (!props.value?.sections) return;
  if (props.value.started !== undefined && props.value.started !== show.started) {
    show.started = props.value.started;
    setTimeout(renewIntent, DOUBLE_CLICK_MILLISECONDS);
  }
  const now = JSON.stringify([props.value.preset, props.value.changes]);
  if (!props.value.intent) renewIntent();
  if (now === shown) return;
  shown = now;
  count();
  list.replaceChildren(...props.value.sections.map((section) => {
    const part = make('section', '');
    part.append(make('h3', '', section.title), ...section.fields.map(rowOf));
    return part;
  }));
}

show();
watch('value', show);
