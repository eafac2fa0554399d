// All runs, and the selected one. value: {charts, opens, has_token, answer, select?}; see run_handlers.py.
// Comes after helpers.js, curves.js and sheets.js. Nothing from the server becomes HTML.
// Everything on the screen follows from the newest answer: a reload or another browser shows the same.
const find = (selector) => element.querySelector(selector);
const part = Object.fromEntries(
  ['notice', 'empty', 'list', 'detail', 'title', 'chip', 'facts', 'progress', 'numbers', 'message', 'health', 'said', 'actions', 'compare', 'log', 'command']
    .map((name) => [name, find(`.${name}`)]),
);
const curves = makeCurves(find('.curves'), props.value.charts);
const sheets = makeSheets(find('.sheets'), server);
const SECOND = 1000;
const STATES = { queued: 'waiting', starting: 'starting', pausing: 'saving', cancelling: 'ending', succeeded: 'done' };
const histories = new Map();
let answer = props.value.answer;
let [selected, compared] = ['run', 'compare'].map((name) => textInAddress(name) || null);
let log = null;
let [asking, askedAt, wasVisible, failures, again] = [false, 0, false, 0, false];
let answered = false; // the first answer is as old as the server, and knows nothing of later runs

function put(node, text) { if (node.textContent !== text) node.textContent = text; }

function who() {
  const [nickname, token] = ['.nickname', '.token'].map((name) => document.querySelector(`#who ${name}`)?.value ?? '');
  return { nickname, token };
}

function rememberSelected() {
  const chosen = isVisible() ? { run: selected, compare: compared } : {};
  writeAddress(['run', 'compare'], Object.entries(chosen).filter(([, id]) => id));
}

function isVisible() {
  return document.visibilityState === 'visible' && element.offsetParent !== null;
}

function select(id) {
  if (id !== selected) {
    [selected, compared, log] = [id, null, null];
    curves.reset();
    part.said.textContent = '';
    part.ask?.close();
  }
  rememberSelected();
  showList();
  poll(true);
}

// --- asking the server ---

async function poll(now) {
  if (asking) { again ||= now; return; }
  [asking, askedAt] = [true, Date.now()];
  const asked = { who: who(), run: selected, compare: compared };
  try {
    const cursors = Object.fromEntries([...histories].map(([id, { cursor }]) => [id, cursor]));
    const next = await server.poll({ ...asked, cursors, log });
    for (const [id, news] of Object.entries(next.curves)) histories.set(id, grown(histories.get(id), news));
    failures = 0;
    answered = true;
    showStanding(asked.who.token, next.teacher);
    if (asked.run === selected) { answer = next; show(); }
  } catch (error) {
    failures += 1;
    put(part.notice, 'The server does not answer; what you see is what it last said. Trying again ...');
    part.notice.hidden = false;
  }
  asking = false;
  if (again) { again = false; poll(true); }
}

// Asks once a second while something moves, and never while nobody can see it.
function tick() {
  const visible = isVisible();
  const patience = failures ? 4 * SECOND : answer.busy ? SECOND : 3 * SECOND;
  if (visible && (!wasVisible || Date.now() - askedAt >= patience)) poll();
  if (visible !== wasVisible) { wasVisible = visible; rememberSelected(); }
}

async function act(action, more = {}) {
  part.said.textContent = '';
  let result = { error: 'The server did not answer; try again.' };
  try {
    result = await server.act({ who: who(), run: selected, action, ...more });
  } catch { /* the sentence above is shown */ }
  part.said.textContent = result.error ?? result.said;
  part.said.dataset.level = result.error ? 'problem' : 'good';
  poll(true);
}

// --- the list ---

function chipText(row) {
  if (row.recorded && row.owner === 'recording') return 'recording';
  if (row.state === 'queued' && row.place) return row.place === 1 ? 'next' : `waiting, ${row.place}`;
  return STATES[row.state] ?? row.state;
}

function shareOf(row) { return row.total ? Math.min(1, row.seen / row.total) : 0; }

function makeRow(id) {
  const row = written(part.list, 'button', 'row');
  row.type = 'button';
  row.dataset.run = id;
  for (const name of ['chip', 'name', 'owner', 'share', 'bar']) written(row, 'span', name);
  written(row.querySelector('.bar'), 'i', '');
  row.addEventListener('click', () => select(id));
  return row;
}

function showList() {
  const rows = answer.runs;
  const old = new Map([...part.list.children].map((row) => [row.dataset.run, row]));
  rows.forEach((values, index) => {
    const row = old.get(values.id) ?? makeRow(values.id);
    old.delete(values.id);
    if (part.list.children[index] !== row) part.list.insertBefore(row, part.list.children[index] ?? null);
    row.setAttribute('aria-pressed', values.id === selected);
    row.querySelector('.chip').dataset.state = values.state;
    put(row.querySelector('.chip'), chipText(values));
    put(row.querySelector('.name'), values.name);
    put(row.querySelector('.owner'), values.owner);
    put(row.querySelector('.share'), values.left ? `${values.left} left` : values.total ? `${Math.floor(100 * shareOf(values))} %` : '');
    row.querySelector('.bar i').style.width = `${100 * shareOf(values)}%`;
  });
  old.forEach((row) => row.remove());
  part.empty.hidden = rows.length > 0;
  element.closest('.training')?.classList.toggle('has-runs', rows.length > 0);
}

// What a token that was typed is worth.
function showStanding(token, isTeacher) {
  const standing = document.querySelector('#who .standing');
  if (standing) put(standing, !token ? '' : isTeacher ? 'You may control every run.' : 'That is not the token.');
}

// --- the selected run ---

function describeProgress(row, run) {
  const words = [];
  if (row.total) words.push(`${row.seen.toLocaleString('en')} of ${row.total.toLocaleString('en')} pictures`);
  if (run.epochs !== null) words.push(`each picture seen ${run.epochs < 10 ? run.epochs.toFixed(1) : Math.round(run.epochs)} times`);
  if (row.speed) words.push(`${Math.round(row.speed).toLocaleString('en')} pictures/s`);
  if (row.left) words.push(`about ${row.left} left`);
  return words.join(' · ');
}

function showHealth(findings) {
  const texts = JSON.stringify(findings);
  if (part.health.dataset.shown === texts) return;
  part.health.dataset.shown = texts;
  part.health.replaceChildren();
  findings.forEach(({ level, sentence }) => { written(part.health, 'li', '', sentence).dataset.level = level; });
}

function showActions(row, run) {
  const { opens } = run;
  for (const button of part.actions.querySelectorAll('button')) {
    const { action, open } = button.dataset;
    if (open) {
      button.hidden = !(opens && row.use === open);
    } else {
      const given = row.actions.includes(action);
      button.disabled = !given;
      // Of those that exclude one another only the possible one takes room.
      if (row.recorded) button.hidden = true; // here nothing can be done with any run
      else if (['pause', 'resume', 'move'].includes(action)) button.hidden = !given && !(action === 'pause' && !row.actions.includes('resume'));
    }
  }
}

function showCompare(rows) {
  const others = rows.filter((row) => row.id !== selected);
  const key = JSON.stringify(others.map((row) => [row.id, row.name]));
  const choice = part.compare.querySelector('select');
  if (choice.dataset.shown !== key) {
    choice.dataset.shown = key;
    choice.replaceChildren(new Option('nothing', ''), ...others.map((row) => new Option(`${row.name} (${row.owner})`, row.id)));
  }
  choice.value = others.some((row) => row.id === compared) ? compared : '';
  part.compare.hidden = !others.length;
}

function showLog(news) {
  if (!news) return;
  const fresh = news.fresh || log?.attempt !== news.attempt || news.offset < (log?.offset ?? 0);
  const box = part.log;
  const follows = box.scrollTop + box.clientHeight >= box.scrollHeight - 24;
  if (fresh && box.textContent !== news.text) box.textContent = news.text;
  else if (!fresh && news.text) box.append(news.text);
  if (follows) box.scrollTop = box.scrollHeight;
  log = { attempt: news.attempt, offset: news.offset };
}

function show() {
  const rows = answer.runs;
  put(part.notice, answer.notice);
  part.notice.hidden = !answer.notice;
  if (!rows.some((row) => row.id === selected) && (answered || selected === null)) {
    const gone = selected !== null && rows.length > 0;
    if (gone && !part.said.textContent) {
      part.said.textContent = 'The run that you asked for is not here any more; this is the newest one.';
      part.said.dataset.level = 'problem';
    }
    selected = rows[0]?.id ?? null;
    [log, compared] = [null, null];
    if (selected && (gone || answer.run?.id !== selected)) again = true;
    if (isVisible()) rememberSelected();
  }
  showList();
  const row = rows.find(({ id }) => id === selected);
  const { run } = answer;
  part.detail.hidden = !row || run?.id !== selected;
  if (part.detail.hidden) return;
  put(part.title, row.name);
  put(part.chip, chipText(row));
  part.chip.dataset.state = row.state;
  put(part.facts, `${row.owner} · ${run.facts}`);
  part.progress.querySelector('i').style.width = `${100 * shareOf(row)}%`;
  part.progress.setAttribute('aria-valuenow', Math.round(100 * shareOf(row)));
  put(part.numbers, describeProgress(row, run));
  put(part.message, row.message || (row.state === 'starting' ? 'The pictures are being read and the speed is measured; that takes a moment.' : ''));
  put(part.command, run.command);
  showHealth(run.health);
  showActions(row, run);
  showCompare(rows);
  showLog(run.log);
  sheets.show(selected, run.sheets);
  const other = rows.find(({ id }) => id === compared);
  const measured = [selected, compared].some((id) => Object.keys(histories.get(id)?.values ?? {}).length);
  find('.curves').hidden = !measured;
  find('.measured').hidden = !measured && part.compare.hidden;
  const key = find('.key');
  key.hidden = !other;
  put(key, other ? `Solid lines: ${row.name}. Dashed: ${other.name}.` : '');
  curves.show([row, other].filter(Boolean).map(({ id, name }) => ({ name, history: histories.get(id) })));
}

// --- buttons ---

// Asks in the page: a browser forbids its own questions to a page inside another one.
function askFirst(question, words, yes, { name } = {}) {
  const form = find('.ask');
  const asker = document.activeElement;
  form.hidden = false;
  put(form.querySelector('p'), question);
  const input = form.querySelector('input');
  input.hidden = name === undefined;
  input.value = name ?? '';
  put(form.querySelector('.yes'), words[0]);
  put(form.querySelector('.no'), words[1]);
  form.onsubmit = (event) => { event.preventDefault(); form.hidden = true; yes(input.value); };
  const no = () => { form.hidden = true; asker.focus(); };
  form.querySelector('.no').onclick = no;
  form.onkeydown = (event) => { if (event.key === 'Escape') no(); };
  (input.hidden ? form.querySelector('.no') : input).focus();
}

// Those that open the run's model in another tab come first.
part.actions.prepend(...props.value.opens.map(({ use, tab }) => {
  const button = document.createElement('button');
  [button.type, button.dataset.open] = ['button', use];
  button.textContent = `Open in the ${tab} tab`;
  return button;
}));

part.ask = { close: () => { find('.ask').hidden = true; } };

part.actions.addEventListener('click', ({ target }) => {
  const button = target.closest('button');
  const row = answer.runs.find(({ id }) => id === selected);
  if (!button || button.disabled || !row) return;
  const { action, step, open } = button.dataset;
  part.ask.close();
  if (action === 'delete') askFirst(`Delete “${row.name}” and all its files, for good?`, ['Delete', 'Keep it'], () => act('delete'));
  else if (action === 'cancel') {
    const question = `Cancel “${row.name}”? It cannot be resumed; what it has saved stays. To go on later, pause it instead.`;
    askFirst(question, ['Cancel the run', 'Let it go on'], () => act('cancel'));
  } else if (action === 'rename') askFirst('A new name for this run:', ['Rename', 'Keep it'], (name) => act('rename', { name }), { name: row.name });
  else if (action === 'move') act('move', { step: Number(step), seen: row.position });
  else if (action === 'copy') trigger('copy', { run: selected });
  else if (open) trigger('open_model', { run: selected, use: open });
  else act(action);
});

part.compare.querySelector('select').addEventListener('change', ({ target }) => {
  compared = target.value || null;
  rememberSelected();
  poll(true);
});

find('.copy-command').addEventListener('click', ({ target }) => copyText(part.command, target));

find('.to-form').addEventListener('click', () => document.querySelector('.new-run')?.scrollIntoView({ behavior: 'smooth' }));

show();
again = false;
watch('value', () => {
  const { select: id, nonce } = props.value;
  if (id && nonce !== show.nonce) { show.nonce = nonce; select(id); }
});
setInterval(tick, 200);
document.addEventListener('visibilitychange', tick);
