// The search for a picture in a generator's space. value: see own_picture_handlers.py; or null before
// the first. Nothing from the server becomes HTML: it is set as an attribute or as text.
const image = element.querySelector('img');
const caption = element.querySelector('figcaption');
const bar = element.querySelector('progress');
const status = element.querySelector('[role=status]');
const table = element.querySelector('table');

const off = (error) => `${error.toFixed(1)} grey levels off`;

function words({ state, step, steps, complete, text }) {
  if (text) return text;
  if (state === 'searching') return `Searching: step ${step} of ${steps}`;
  if (state !== 'found') return '';
  const early = complete ? '' : ` Time was up after ${step} of ${steps} steps.`;
  return `Found: it is on the stage now, and every slider moves it.${early}`;
}

function row([what, error]) {
  const line = document.createElement('tr');
  const cells = [['th', what], ['td', error.toFixed(1)]].map(([kind, text]) => {
    const cell = document.createElement(kind);
    cell.textContent = text;
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
    image.alt = value.state === 'found' ? 'What was found' : 'The best so far';
    caption.textContent = `${image.alt}: ${off(value.error)}`;
  }
  const comparing = value.comparing !== undefined;
  bar.hidden = value.state !== 'searching' && !comparing;
  bar.value = comparing ? value.comparing : (value.step ?? 0) / (value.steps ?? 1);
  status.textContent = comparing
    ? 'Found. How near does it come to other pictures? Measuring, once for this model …'
    : words(value);
  table.hidden = !value.compared;
  if (value.compared) {
    const rows = [['your picture', value.error], ...value.compared];
    element.querySelector('tbody').replaceChildren(...rows.map(row));
  }
}

show();
watch('value', show);
