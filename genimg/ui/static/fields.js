// A number that its field does not allow never leaves the field, and does not stay in it: when the
// field is left, or on Enter, the number that was there before the typing is back, also on the page:
// on its way to 1.5 a seed was 1, which nobody meant.
// The form of a run is left out: it says below itself what is wrong with a number, and waits.
const note = element.querySelector('p');
const NOTE_MILLISECONDS = 6000;
const known = new WeakMap(); // of each field its number before one typed in it, as text
const shown = new WeakMap(); // of each field its last allowed number, which the page shows
const acted = new WeakMap(); // what Enter was last pressed on, or somebody else has written
const left = new WeakMap(); // what was in it when it was left
// Those whose last typed number is not allowed. A slow page may still write an earlier one over it,
// one that was allowed on the way there, and that was not meant either.
const wrong = new WeakSet();
let timer = null;

const guarded = (field) => field instanceof HTMLInputElement && field.type === 'number'
  && !field.closest('.training');

function allows(field) {
  const { valueAsNumber: number, min, max, step } = field;
  if (!Number.isFinite(number)) return false;
  if (min !== '' && number < Number(min)) return false;
  if (max !== '' && number > Number(max)) return false;
  return !(Number.isInteger(Number(step || 1)) && !Number.isInteger(number));
}

function nameOf(field) {
  const words = (field.labels?.[0] ?? field.closest('.block, label'))?.querySelector('span')?.textContent
    ?? field.labels?.[0]?.textContent ?? '';
  return words.trim() || say('frame.this_field');
}

function complain(field, back) {
  const { min, max, step } = field;
  const kind = { say: Number.isInteger(Number(step || 1)) ? 'frame.whole_number' : 'frame.number' };
  const range = max !== '' && min !== '' ? 'frame.from_to' : min !== '' ? 'frame.from' : '';
  const allowed = range ? { say: range, kind, low: min, high: max } : kind;
  put(note, 'frame.refused', { name: nameOf(field), allowed, back });
  const box = field.getBoundingClientRect();
  note.hidden = false;
  note.style.top = `${Math.min(window.innerHeight - note.offsetHeight - 8, box.bottom + 6)}px`;
  note.style.left = `${Math.max(8, Math.min(window.innerWidth - note.offsetWidth - 8, box.left))}px`;
  clearTimeout(timer);
  timer = setTimeout(() => { note.hidden = true; }, NOTE_MILLISECONDS);
}

// From now on this number is the one to go back to.
function keep(field) {
  if (!allows(field)) return;
  known.set(field, field.value);
  shown.set(field, field.value);
}

// Returns whether the number had to be put back.
function putBack(field) {
  if (!guarded(field) || (allows(field) && !wrong.has(field))) return false;
  wrong.delete(field);
  const back = known.get(field) ?? '';
  if (field.value === '' && back === '' && !field.validity.badInput) return false; // empty from the start
  field.value = back;
  if (back !== '' && shown.get(field) !== back) field.dispatchEvent(new Event('input', { bubbles: true }));
  complain(field, back || { say: 'frame.empty' });
  return true;
}

document.addEventListener('focusin', ({ target }) => {
  if (!guarded(target)) return;
  known.set(target, allows(target) ? target.value : '');
  shown.set(target, known.get(target));
  if (left.get(target) !== target.value) acted.set(target, target.value);
}, true);
document.addEventListener('input', (event) => {
  const field = event.target;
  if (!guarded(field)) return;
  if (!allows(field)) {
    wrong.add(field);
    event.stopImmediatePropagation();
    return;
  }
  wrong.delete(field);
  shown.set(field, field.value);
  note.hidden = true; // it is mended
}, true);
for (const type of ['change', 'focusout']) {
  document.addEventListener(type, (event) => {
    if (putBack(event.target)) event.stopImmediatePropagation();
    else if (guarded(event.target)) keep(event.target);
    if (guarded(event.target)) left.set(event.target, event.target.value);
  }, true);
}
// Enter does something with a new number, and nothing with one that it, or a button, was pressed on.
document.addEventListener('click', ({ target }) => {
  if (!target.closest?.('button')) return;
  for (const field of document.querySelectorAll('input[type=number]')) acted.set(field, field.value);
}, true);
document.addEventListener('keydown', (event) => {
  const field = event.target;
  if (event.key !== 'Enter' || !guarded(field)) return;
  if (putBack(field) || acted.get(field) === field.value) {
    event.stopImmediatePropagation();
    event.preventDefault();
  } else {
    keep(field);
  }
  acted.set(field, field.value);
}, true);
