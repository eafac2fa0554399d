// The search for a picture in a generator's space. value: see own_picture_handlers.py; or null before
// the first. Nothing from the server becomes HTML: it is set as an attribute or as text.
const image = element.querySelector('img');
const caption = element.querySelector('figcaption');
const bar = element.querySelector('progress');
const status = element.querySelector('[role=status]');
const table = element.querySelector('table');

// Nearer to noise than to what the model learned from: the visitor should know.
function isPoor({ error, compared }) {
  const errors = (compared ?? []).map(([, each]) => each);
  return errors.length > 1 && error > (errors.at(-2) + errors.at(-1)) / 2;
}

function words({ state, step, steps, complete, ...found }) {
  if (state === 'stopped') return 'gan.own.stopped';
  if (state === 'searching') return { say: 'gan.own.searching', step, steps };
  if (state !== 'found') return '';
  if (isPoor(found)) return 'gan.own.poor';
  return complete ? 'gan.own.found' : { say: 'gan.own.found_early', step, steps };
}

function row([what, error]) {
  const line = document.createElement('tr');
  const cells = [['th', what], ['td', error.toFixed(1)]].map(([kind, text]) => {
    const cell = document.createElement(kind);
    put(cell, text);
    return cell;
  });
  cells[0].scope = 'row';
  line.append(...cells);
  return line;
}

function show() {
  const value = props.value ?? {};
  element.querySelector('figure').hidden = !value.src;
  if (value.src) {
    image.src = value.src;
    const what = { say: value.state === 'found' ? 'gan.own.result' : 'gan.own.best' };
    putOn(image, 'alt', what);
    put(caption, 'gan.own.off', { what, error: value.error.toFixed(1) });
  }
  const comparing = value.comparing !== undefined;
  bar.hidden = value.state !== 'searching' && !comparing;
  const stop = document.getElementById('find-stop');
  if (stop) stop.disabled = bar.hidden; // nothing runs
  bar.value = comparing ? value.comparing : (value.step ?? 0) / (value.steps ?? 1);
  put(status, comparing ? 'gan.own.comparing' : words(value));
  table.hidden = !value.compared;
  if (value.compared) {
    const rows = [['gan.own.yours', value.error], ...value.compared];
    element.querySelector('tbody').replaceChildren(...rows.map(row));
  }
}

show();
watch('value', show);
