// Names of one's own for the sliders. value: {model, labels}, labels what the sliders are called here.
// Comes after helpers.js. Names are kept in this browser, for each model; the file that is saved is
// the one that genimg.explore.own_names reads.
const KEY = 'genimg-names';
const LONGEST = 40;
const LARGEST_FILE = 2 ** 17;
const fields = element.querySelector('.fields');
const status = element.querySelector('[role=status]');
const chooser = element.querySelector('[type=file]');
const find = (name) => element.querySelector(`[data-do=${name}]`);
const given = new WeakMap(); // what Gradio wrote, by text or by control
const written_here = new WeakMap(); // and what was written here instead

const model = () => (props.value?.model ?? '').split(/[\\/]/).pop();
const isName = (name) => typeof name === 'string' && name === name.trim()
  && name.length > 0 && name.length <= LONGEST && !/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.test(name);

function readKept() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    return kept && typeof kept === 'object' ? kept : {};
  } catch { return {}; }
}

function names() {
  const own = readKept()[model()];
  return Array.isArray(own) ? own.map((name) => (isName(name) ? name : null)) : [];
}

function keep(own) {
  const last = own.findLastIndex((name) => name !== null);
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...readKept(), [model()]: own.slice(0, last + 1) }));
  } catch { status.textContent = 'This browser keeps no names; save them as a file instead.'; }
  show();
}

// A slider belongs to Gradio, which writes its label when the model changes; only where it wrote
// what the slider is called in this model does a name of one's own stand in its place.
function rename(holder, text, set, label, name) {
  if (text !== written_here.get(holder)) given.set(holder, text);
  const original = given.get(holder);
  const wanted = name && original.includes(label) ? original.replace(label, () => name) : original;
  written_here.set(holder, wanted);
  if (text !== wanted) set(wanted);
}

function apply() {
  const own = names();
  (props.value?.labels ?? []).forEach((label, i) => {
    const slider = document.getElementById(`direction-${i}`);
    const title = slider?.querySelector('[data-testid=block-info]');
    const nodes = Array.from(title?.childNodes ?? []).filter((node) => node.nodeType === Node.TEXT_NODE);
    for (const node of nodes) {
      rename(node, node.data, (text) => { node.data = text; }, label, own[i]);
    }
    for (const control of slider?.querySelectorAll('[aria-label]') ?? []) {
      rename(control, control.ariaLabel, (text) => { control.ariaLabel = text; }, label, own[i]);
    }
  });
}

function change() {
  const own = [...fields.querySelectorAll('input')].map(({ value }) => value.trim() || null);
  const there = own.map((name, i) => name ?? props.value.labels[i]);
  if (!own.every((name) => name === null || isName(name))) {
    status.textContent = `A name has at most ${LONGEST} characters, on one line, and plain spaces.`;
  } else if (new Set(there).size < there.length) {
    status.textContent = 'That name is there already; choose another.';
  } else {
    status.textContent = '';
    keep(own);
  }
}

function field(label) {
  const around = document.createElement('label');
  const input = document.createElement('input');
  Object.assign(input, { type: 'text', maxLength: LONGEST, placeholder: label });
  around.append(label, input);
  input.addEventListener('change', change);
  return around;
}

function show() {
  const labels = props.value?.labels ?? [];
  const shown = Array.from(fields.querySelectorAll('input'), (input) => input.placeholder);
  if (shown.join('\n') !== labels.join('\n')) fields.replaceChildren(...labels.map(field));
  const own = names();
  fields.querySelectorAll('input').forEach((input, i) => { input.value = own[i] ?? ''; });
  const none = !own.some((name) => name !== null);
  find('save').disabled = find('forget').disabled = none;
  apply();
}

function save() {
  const text = JSON.stringify({ model: model(), directions: names() });
  download(`data:application/json,${encodeURIComponent(text)}`, 'names.json');
  status.textContent = 'In Python: model = genimg.explore.own_names.with_names(model, "names.json")';
}

async function read() {
  const [file] = chooser.files;
  chooser.value = '';
  if (!file) return;
  let content = null;
  try {
    content = file.size <= LARGEST_FILE ? JSON.parse(await file.text()) : null;
  } catch { /* the sentence below is shown */ }
  const own = content?.directions;
  const known = (name) => name === null || isName(name);
  if (!Array.isArray(own) || !own.every(known) || own.length > props.value.labels.length) {
    status.textContent = 'This is no file of names for these sliders.';
  } else if (content.model !== model()) {
    status.textContent = `These are names for ${content.model}; choose that model first.`;
  } else {
    status.textContent = '';
    keep(own);
  }
}

find('save').addEventListener('click', save);
find('read').addEventListener('click', () => chooser.click());
find('forget').addEventListener('click', () => keep([]));
chooser.addEventListener('change', read);
const watcher = new MutationObserver(apply);
const options = { subtree: true, childList: true, characterData: true };
watcher.observe(document.querySelector('.explorer'), options);
show();
watch('value', show);
