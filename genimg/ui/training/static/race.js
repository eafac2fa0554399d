// Runs that differ in one setting, side by side. value: see RaceHandlers.first.
// Comes after helpers.js and curves.js. Nothing from the server becomes HTML.
const find = (selector) => element.querySelector(selector);
const part = Object.fromEntries(
  ['preset', 'setting', 'names', 'numbers', 'values', 'amount', 'length', 'seed', 'where', 'device', 'go', 'cost', 'said', 'course', 'racers', 'curves']
    .map((name) => [name, find(`.${name}`)]),
);
const which = find('.which select');
const measured = find('.measured-before');
const SECOND = 1000;
const SHIPPED = ''; // in the list, for what was measured before
const first = props.value;
let { choice, answer } = first;
let shown = textInAddress('race') || null; // null: the newest one, if there is any
let histories = new Map();
let [asking, askedAt, wasVisible, again] = [false, 0, false, false];
let chart = null;
let charted = '';
const pictures = new Map(); // of each run, the sheet that is on the screen
let intent = newIntent();

function newIntent() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join('');
}

function who() {
  const [nickname, token] = ['.nickname', '.token'].map((name) => document.querySelector(`#who ${name}`)?.value ?? '');
  return { nickname, token };
}

function isVisible() {
  return document.visibilityState === 'visible' && element.checkVisibility() && element.offsetParent !== null;
}

// --- what is asked for ---

function variable() { return choice.variables.find(({ name }) => name === part.setting.value); }

function showVariable() {
  const { names, usual } = variable();
  part.names.hidden = !names.length;
  part.numbers.hidden = names.length > 0;
  part.values.value = '';
  part.values.placeholder = Number(usual) ? `${usual} ${Number((usual * 5).toPrecision(3))}` : `${usual} 1`;
  part.names.querySelectorAll('label').forEach((label) => label.remove());
  names.forEach((name) => {
    const label = written(part.names, 'label');
    const box = written(label, 'input');
    [box.type, box.value, box.checked] = ['checkbox', name, true];
    written(label, 'span', '', name).lang = 'en'; // a name of the command line
  });
  showCost();
}

function option(words, value) {
  const made = new Option('', value);
  put(made, words);
  return made;
}

function showChoice() {
  part.setting.replaceChildren(...choice.variables.map(({ name, label }) => option(label, name)));
  showVariable();
}

function valuesAsked() {
  if (!part.names.hidden) return Array.from(part.names.querySelectorAll('input:checked'), ({ value }) => value);
  return part.values.value.split(/[\s,;]+/).filter(Boolean);
}

function showCost() {
  const [count, amount] = [valuesAsked().length, Number(part.amount.value)];
  const several = part.device.value === 'auto' ? 'in_turn' : 'beside';
  if (count < 2 || !(amount > 0)) put(part.cost, '');
  else if (part.length.value === 'minutes') put(part.cost, `training.race.cost.minutes.${several}`, { count, amount: String(amount) });
  else put(part.cost, `training.race.cost.images.${several}`, { count, amount });
}

part.preset.replaceChildren(...first.presets.map(({ name, title }) => option(title, name)));
part.preset.value = choice.preset;
part.amount.value = first.minutes;
part.device.replaceChildren(...first.devices.map((name) => new Option(name, name)));
part.where.hidden = first.devices.length < 2;
showChoice();

part.preset.addEventListener('change', async () => {
  const asked = part.preset.value;
  part.go.disabled = true; // until the settings are those of this model
  try {
    const answered = await server.choice({ preset: asked });
    if (asked !== part.preset.value) return;
    if (answered.error) { put(part.said, answered.error); return; }
    const before = part.setting.value;
    choice = answered;
    showChoice();
    if (choice.variables.some(({ name }) => name === before)) { part.setting.value = before; showVariable(); }
  } catch {
    put(part.said, 'training.race.unanswered');
  } finally {
    part.go.disabled = choice.preset !== part.preset.value;
  }
});
part.setting.addEventListener('change', showVariable);
part.length.addEventListener('change', () => {
  part.amount.value = part.length.value === 'minutes' ? first.minutes : 100000;
});
find('.asked').addEventListener('input', showCost);

find('.asked').addEventListener('submit', async (event) => {
  event.preventDefault();
  if (choice.preset !== part.preset.value) return;
  part.go.disabled = true;
  put(part.said, '');
  let result = { error: 'frame.unanswered' };
  try {
    result = await server.start({
      who: who(), preset: choice.preset, setting: part.setting.value, values: valuesAsked(),
      length: part.length.value, amount: Number(part.amount.value), seed: Number(part.seed.value),
      device: part.device.value, intent,
    });
  } catch { /* the sentence above is shown */ }
  part.go.disabled = false;
  put(part.said, result.error ?? 'training.race.queued');
  part.said.dataset.level = result.error ? 'problem' : 'good';
  if (result.error) return;
  intent = newIntent();
  choose(result.race);
});

// --- what was measured before ---

function showMeasured() {
  for (const { title, command, machine, minutes, tables } of first.measured) {
    const box = written(measured, 'section');
    put(written(box, 'h3'), title);
    tables.forEach(({ title: name, note, head, rows }) => {
      const frame = written(box, 'div', 'frame');
      [frame.tabIndex, frame.role] = [0, 'region'];
      putOn(frame, 'aria-label', 'training.race.region', { title, name });
      const table = written(frame, 'table');
      put(written(table, 'caption'), name);
      const top = written(written(table, 'thead'), 'tr');
      head.forEach((cell, index) => {
        const made = written(top, 'th', index ? '' : 'first');
        put(made, cell);
        made.scope = 'col';
      });
      const body = written(table, 'tbody');
      rows.forEach((cells) => {
        const row = written(body, 'tr');
        cells.forEach((cell, index) => put(written(row, index ? 'td' : 'th', index ? '' : 'first'), cell));
        row.firstChild.scope = 'row';
      });
      put(written(box, 'p', 'note'), note);
    });
    put(written(box, 'p', 'note'), 'training.race.measured', { command, minutes: String(minutes), machine });
  }
}

showMeasured();

// --- the runs ---

function choose(id) {
  shown = id;
  histories = new Map();
  poll(true);
}

async function poll(now) {
  if (asking) { again ||= now; return; }
  [asking, askedAt] = [true, Date.now()];
  const asked = shown ?? answer.races[0]?.id ?? SHIPPED;
  try {
    const cursors = Object.fromEntries([...histories].map(([id, { cursor }]) => [id, cursor]));
    const next = await server.poll({ who: who(), race: asked, cursors });
    if (asked === (shown ?? answer.races[0]?.id ?? SHIPPED)) {
      for (const [id, news] of Object.entries(next.curves)) histories.set(id, grown(histories.get(id), news));
      answer = next;
      show();
    }
  } catch { /* what is on the screen is what the server last said */ }
  asking = false;
  if (again) { again = false; poll(true); }
}

function tick() {
  const visible = isVisible();
  if (visible && (!wasVisible || Date.now() - askedAt >= (answer.busy ? SECOND : 4 * SECOND))) poll();
  if (visible !== wasVisible) { wasVisible = visible; remember(); }
}

function remember() { writeAddress(['race'], isVisible() && answer.race ? { race: answer.race } : {}); }

function listRaces() {
  const key = JSON.stringify(answer.races);
  if (which.dataset.shown !== key) {
    which.dataset.shown = key;
    const options = answer.races.map(({ id, title }) => option(title, id));
    which.replaceChildren(...options, option('training.race.before', SHIPPED));
  }
  which.value = answer.race ?? SHIPPED;
  which.closest('label').hidden = !answer.races.length;
}

function describe(run) {
  const words = [{ say: `training.state.${run.state}` }];
  if (run.state === 'queued' && run.place) {
    words[0] = run.place === 1 ? { say: 'training.state.next' } : { say: 'training.state.place', place: run.place };
  }
  if (run.total) words.push({ say: 'training.progress.pictures', pictures: run.seen });
  if (run.left) words.push({ say: 'training.progress.left', time: run.left });
  return words.reduce((one, other) => ({ say: 'training.beside', first: one, second: other }));
}

function makeRacer(run, index) {
  const figure = written(part.racers, 'figure', 'racer');
  figure.dataset.run = run.id;
  const image = written(figure, 'img');
  image.hidden = true;
  const caption = written(figure, 'figcaption');
  written(caption, 'i', `curve-${index % COLORS}`);
  written(caption, 'b', 'name');
  written(caption, 'span', 'state');
  written(caption, 'span', 'results');
  written(caption, 'span', 'message');
  return figure;
}

async function showSheet(figure, run) {
  const key = `${run.id}/${run.sheet}`;
  if (run.sheet === null || pictures.get(figure) === key) return;
  pictures.set(figure, key);
  try {
    const { src } = await server.sheet({ run: run.id, seen: run.sheet });
    if (!src || pictures.get(figure) !== key) return;
    const image = figure.querySelector('img');
    [image.src, image.hidden] = [src, false];
    putOn(image, 'alt', 'training.race.sheet', { name: run.name, pictures: run.sheet });
  } catch { pictures.delete(figure); } // asked for again with the next answer
}

function resultsOf({ results }) {
  return first.results.filter(({ name }) => name in results)
    .map(({ name, label, unit, counted }) => {
      const value = spelled(results[name], unit);
      return unit ? { say: 'training.race.result_with_unit', label, value, unit: counted } : { say: 'training.race.result', label, value };
    });
}

// One line each.
function showResults(box, results) {
  const key = JSON.stringify(results);
  if (box.dataset.shown === key) return;
  box.dataset.shown = key;
  box.replaceChildren(...results.flatMap((words, index) => {
    const line = document.createElement('span');
    put(line, words);
    return index ? ['\n', line] : [line];
  }));
}

function showRacers() {
  const ids = JSON.stringify([answer.race, answer.runs.map(({ id }) => id)]);
  if (part.racers.dataset.shown !== ids) {
    part.racers.dataset.shown = ids;
    part.racers.replaceChildren();
    pictures.clear();
    answer.runs.forEach(makeRacer);
  }
  answer.runs.forEach((run, index) => {
    const figure = part.racers.children[index];
    figure.querySelector('.name').textContent = run.name;
    put(figure.querySelector('.state'), describe(run));
    put(figure.querySelector('.message'), run.kind ? run.message : '');
    showResults(figure.querySelector('.results'), resultsOf(run));
    showSheet(figure, run);
  });
}

// One chart for each number that any run reports, with one line a run.
function showCurves() {
  const key = JSON.stringify([answer.race, answer.runs.map(({ id, name }) => [id, name])]);
  if (charted !== key) {
    charted = key;
    part.curves.replaceChildren();
    chart = makeCurves(part.curves, first.charts.map(({ name, label, unit, counted, meaning }) => ({
      title: unit ? labelled(label, counted) : label,
      curves: answer.runs.map((run) => ({ name: `${name} ${run.id}`, label: run.name, unit: '', meaning })),
    })));
  }
  const values = {};
  answer.runs.forEach(({ id }) => {
    for (const [name, points] of Object.entries(histories.get(id)?.values ?? {})) values[`${name} ${id}`] = points;
  });
  part.curves.hidden = find('.hint').hidden = !Object.keys(values).length;
  chart.show([{ name: '', history: { values } }]);
}

function show() {
  listRaces();
  const racing = answer.race !== null;
  measured.hidden = racing;
  part.course.hidden = !racing;
  remember();
  if (!racing) return;
  showRacers();
  showCurves();
}

which.addEventListener('change', () => choose(which.value));
show();
setInterval(tick, 200);
document.addEventListener('visibilitychange', tick);
