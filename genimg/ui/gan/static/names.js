// Names of one's own for the sliders. value: {model, labels, infos}: the words for what the sliders are
// called here, and for what they say below. Comes after helpers.js and slider_words.js. Names are kept in this browser, for each model; the file that is saved is
// the one that genimg.explore.own_names reads.
const KEY = 'genimg-names';
const LONGEST = 40;
const LARGEST_FILE = 2 ** 17;
const fields = element.querySelector('.fields');
const status = element.querySelector('[role=status]');
const chooser = element.querySelector('[type=file]');
const find = (name) => element.querySelector(`[data-do=${name}]`);
let listed = ''; // what the fields are called, as JSON

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
  } catch { put(status, 'gan.names.not_kept'); }
  show();
}

function apply() {
  const { labels = [], infos = [] } = props.value ?? {};
  wordSliders(element.closest('[role=tabpanel]'), labels, infos, names());
}

function change() {
  const own = [...fields.querySelectorAll('input')].map(({ value }) => value.trim() || null);
  const there = own.map((name, i) => name ?? say(props.value.labels[i]));
  if (!own.every((name) => name === null || isName(name))) {
    put(status, 'gan.names.bad', { longest: LONGEST });
  } else if (new Set(there).size < there.length) {
    put(status, 'gan.names.taken');
  } else {
    put(status, '');
    keep(own);
  }
}

function field(label) {
  const around = document.createElement('label');
  const input = document.createElement('input');
  Object.assign(input, { type: 'text', maxLength: LONGEST });
  putOn(input, 'placeholder', label);
  put(written(around, 'span'), label);
  around.append(input);
  input.addEventListener('change', change);
  return around;
}

function show() {
  const labels = props.value?.labels ?? [];
  if (JSON.stringify(labels) !== listed) {
    listed = JSON.stringify(labels);
    fields.replaceChildren(...labels.map(field));
  }
  const own = names();
  fields.querySelectorAll('input').forEach((input, i) => { input.value = own[i] ?? ''; });
  const none = !own.some((name) => name !== null);
  find('save').disabled = find('forget').disabled = none;
  apply();
}

function save() {
  const text = JSON.stringify({ model: model(), directions: names() });
  download(`data:application/json,${encodeURIComponent(text)}`, 'names.json');
  put(status, 'gan.names.python');
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
    put(status, 'gan.names.no_file');
  } else if (content.model !== model()) {
    put(status, 'gan.names.other_model', { model: String(content.model) });
  } else {
    put(status, '');
    keep(own);
  }
}

find('save').addEventListener('click', save);
find('read').addEventListener('click', () => chooser.click());
find('forget').addEventListener('click', () => keep([]));
chooser.addEventListener('change', read);
// The player writes thirty times a second.
const watcher = new MutationObserver((changes) => {
  if (changes.some(({ target }) => !(target.parentElement ?? target).closest('.player'))) apply();
});
const seen = { subtree: true, childList: true, characterData: true, attributeFilter: ['aria-label'] };
watcher.observe(element.closest('[role=tabpanel]'), seen);
document.addEventListener('reworded', apply);
show();
watch('value', show);
