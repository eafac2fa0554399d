// Which one is real? value: {gan, drawer, label, query}. Comes after helpers.js.
// Only the server knows the answer; the score is this browser's.
const KEY = 'genimg-quiz';
const NAMES = ['compared', 'with', 'compared_class', 'compared_seed'];
const find = (selector) => element.querySelector(selector);
const buttons = [...element.querySelectorAll('.pair button')];
const [pair, words, status, scores, next] = ['.pair', '.words', '[role=status]', '.score', '.next'].map(find);
let id = null; // of the question that waits for an answer
let busy = false;

function readScore() {
  try {
    const { asked, right } = JSON.parse(localStorage.getItem(KEY));
    if (Number.isInteger(asked) && Number.isInteger(right)) return { asked, right };
  } catch { /* none is kept, or it is damaged */ }
  return { asked: 0, right: 0 };
}

function showScore() {
  const { asked, right } = readScore();
  put(scores, asked ? 'compare.quiz.score' : '', { right, asked });
}

function keep(right) {
  const score = readScore();
  try {
    localStorage.setItem(KEY, JSON.stringify({ asked: score.asked + 1, right: score.right + right }));
  } catch { /* a private window keeps nothing */ }
}

async function call(work) {
  if (busy) return null;
  busy = true;
  let said = { error: 'frame.unanswered' };
  try {
    said = await work();
  } catch { /* the sentence above is shown */ }
  busy = false;
  if (said.error) put(status, said.error);
  return said.error ? null : said;
}

async function ask() {
  const { gan, drawer, label } = props.value;
  const asked = await call(() => server.ask_next({ gan, drawer, label }));
  if (!asked) return;
  id = asked.id;
  put(words, asked.words);
  put(status, '');
  buttons.forEach((button, i) => {
    const image = button.querySelector('img');
    image.src = asked.pictures[i];
    putOn(image, 'alt', 'compare.quiz.picture', { number: i + 1 });
    button.className = '';
    button.disabled = false;
  });
  pair.hidden = false;
  next.hidden = true;
  buttons[0].focus({ preventScroll: true });
}

async function answer(guess) {
  if (id === null) return;
  const told = await call(() => server.answer_it({ id, guess }));
  if (!told) {
    if (!busy) next.hidden = false;
    return;
  }
  id = null;
  keep(told.right ? 1 : 0);
  buttons.forEach((button, i) => {
    button.className = i === told.real ? 'real' : 'made';
    button.disabled = true;
  });
  put(status, told.right ? 'compare.quiz.was_right' : 'compare.quiz.was_wrong', {
    model: told.model,
    people: { say: 'compare.quiz.people', share: { percent: told.fooled / told.asked }, count: told.asked },
  });
  showScore();
  put(next, 'compare.quiz.next');
  next.hidden = false;
  next.focus({ preventScroll: true });
}

next.addEventListener('click', ask);
buttons.forEach((button, i) => button.addEventListener('click', () => answer(i)));
watch('value', () => { if (props.value?.query) writeAddress(NAMES, props.value.query); });
showScore();
