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
const histories = new Map();
let answer = props.value.answer;
let [selected, compared] = ['run', 'compare'].map((name) => textInAddress(name) || null);
let log = null;
let [asking, askedAt, wasVisible, failures, again] = [false, 0, false, 0, false];
let answered = false; // the first answer is as old as the server, and knows nothing of later runs

const told = new WeakMap(); // what each node says, so that it is not said anew every second

function tell(node, words) {
  const key = JSON.stringify(words);
  if (told.get(node) === key) return;
  told.set(node, key);
  put(node, words);
}

// Names and commands are no words.
function write(node, text) { if (node.textContent !== text) node.textContent = text; }

function inRow(words) { return words.length ? words.reduce((first, second) => ({ say: 'training.beside', first, second })) : ''; }

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
    put(part.said, '');
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
    tell(part.notice, 'training.unanswered');
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
  put(part.said, '');
  let result = { error: 'frame.unanswered' };
  try {
    result = await server.act({ who: who(), run: selected, action, ...more });
  } catch { /* the sentence above is shown */ }
  put(part.said, result.error ?? result.said);
  part.said.dataset.level = result.error ? 'problem' : 'good';
  poll(true);
}

// --- the list ---

function chipText(row) {
  if (row.recorded && row.owner === 'recording') return 'training.state.recording';
  if (row.state !== 'queued' || !row.place) return `training.state.${row.state}`;
  return row.place === 1 ? 'training.state.next' : { say: 'training.state.place', place: row.place };
}

function shareText(row) {
  if (row.left) return { say: 'training.progress.left', time: row.left };
  return row.total ? { say: 'number.percent', number: Math.floor(100 * shareOf(row)) } : '';
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
    tell(row.querySelector('.chip'), chipText(values));
    write(row.querySelector('.name'), values.name);
    write(row.querySelector('.owner'), values.owner);
    tell(row.querySelector('.share'), shareText(values));
    row.querySelector('.bar i').style.width = `${100 * shareOf(values)}%`;
  });
  old.forEach((row) => row.remove());
  part.empty.hidden = rows.length > 0;
  element.closest('.training')?.classList.toggle('has-runs', rows.length > 0);
}

// What a token that was typed is worth.
function showStanding(token, isTeacher) {
  const standing = document.querySelector('#who .standing');
  if (standing) tell(standing, !token ? '' : isTeacher ? 'training.who.may' : 'training.who.wrong');
}

// --- the selected run ---

function describeProgress(row, run) {
  const words = [];
  if (row.total) words.push({ say: 'training.progress.of', seen: row.seen, total: row.total });
  if (run.epochs !== null) {
    const times = run.epochs < 10 ? run.epochs.toFixed(1) : String(Math.round(run.epochs));
    words.push({ say: 'training.progress.times', times });
  }
  if (row.speed) words.push({ say: 'training.progress.speed', speed: Math.round(row.speed) });
  if (row.left) words.push({ say: 'training.progress.about_left', time: row.left });
  return inRow(words);
}

function showHealth(findings) {
  const texts = JSON.stringify(findings);
  if (part.health.dataset.shown === texts) return;
  part.health.dataset.shown = texts;
  part.health.replaceChildren();
  findings.forEach(({ level, sentence }) => {
    const item = written(part.health, 'li');
    put(item, sentence);
    item.dataset.level = level;
  });
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
    const none = new Option('', '');
    put(none, 'training.curves.nothing');
    choice.replaceChildren(none, ...others.map((row) => new Option(`${row.name} (${row.owner})`, row.id)));
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
  tell(part.notice, answer.notice);
  part.notice.hidden = !answer.notice;
  if (!rows.some((row) => row.id === selected) && (answered || selected === null)) {
    const gone = selected !== null && rows.length > 0;
    if (gone && !part.said.textContent) {
      put(part.said, 'training.run_gone');
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
  write(part.title, row.name);
  tell(part.chip, chipText(row));
  part.chip.dataset.state = row.state;
  tell(part.facts, inRow([row.owner, run.facts]));
  part.progress.querySelector('i').style.width = `${100 * shareOf(row)}%`;
  part.progress.setAttribute('aria-valuenow', Math.round(100 * shareOf(row)));
  tell(part.numbers, describeProgress(row, run));
  tell(part.message, row.message || (row.state === 'starting' ? 'training.starting' : ''));
  write(part.command, run.command);
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
  tell(key, other ? { say: 'training.curves.two', one: row.name, other: other.name } : '');
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
  put(button, 'training.action.open', { tab: { say: `tab.${tab}` } });
  return button;
}));

part.ask = { close: () => { find('.ask').hidden = true; } };

part.actions.addEventListener('click', ({ target }) => {
  const button = target.closest('button');
  const row = answer.runs.find(({ id }) => id === selected);
  if (!button || button.disabled || !row) return;
  const { action, step, open } = button.dataset;
  part.ask.close();
  if (action === 'delete') askFirst({ say: 'training.ask.delete', name: row.name }, ['training.ask.delete_yes', 'training.ask.keep'], () => act('delete'));
  else if (action === 'cancel') {
    const question = { say: 'training.ask.cancel', name: row.name };
    askFirst(question, ['training.ask.cancel_yes', 'training.ask.cancel_no'], () => act('cancel'));
  } else if (action === 'rename') askFirst('training.ask.rename', ['training.ask.rename_yes', 'training.ask.keep'], (name) => act('rename', { name }), { name: row.name });
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
