// Why a token was drawn. No value: the drawing tells by "looked-at" that window.lookedAt has
// changed, {request, layout}; the query of the request is the token.
// Comes after helpers.js, payload.js and heads.js.
const find = (selector) => element.querySelector(selector);
const [ask, results, status] = ['.ask', '.results', '[role=status]'].map(find);
let shown = null; // the token that is explained, or is on its way, as text
let running = false; // the server is asked one thing at a time
let again = false; // somebody has asked for another one meanwhile

const inNats = (number) => `${number < 0 ? '−' : '+'}${threeDigits(Math.abs(number))}`;

function nameOf(position) {
  const token = position - window.lookedAt.layout.special.length;
  return token < 0 ? { say: 'transformer.the_class' } : tokenWords(token);
}

// What speaks for the token is red, what speaks against it blue; no color is none at all.
function paintMap(name, values, colors, { layout, request }) {
  const high = Math.max(...values.map(Math.abs)) || 1;
  const shares = values.map((value) => (1 + value / high) / 2);
  const figure = find(`.${name}`);
  paintCells(figure.querySelector('canvas'), shares, layout, 1, colors, request.query);
  paintSpecial(figure.querySelector('.special'), shares, layout, 1, colors);
  figure.querySelectorAll('.special span').forEach((span, i) => {
    span.textContent = inNats(values[i]);
  });
  markPatch(figure.querySelector('.marker'), request.query, layout);
  const most = threeLargest(values).filter((position) => values[position] > 0);
  const words = most.map((position) => weighted(nameOf(position), inNats(values[position])));
  put(find(`.${name} figcaption`), `transformer.reasons.by.${name}`, {
    most: beside(words) || { say: 'transformer.reasons.nothing' },
  });
}

function paint(answer) {
  const { gradient, ablation, colors } = unpack(answer);
  paintMap('gradient', gradient.data, colors.data, window.lookedAt);
  paintMap('ablation', ablation.data, colors.data, window.lookedAt);
  results.hidden = false;
  put(status, answer.words);
  find('code').textContent = answer.code;
}

// What was there belongs to another token.
function clear(words) {
  results.hidden = true;
  put(status, words);
  find('code').textContent = '';
}

const asked = ({ drawing, query }) => JSON.stringify([drawing, query]);

async function explain() {
  if (running) {
    again = true;
    put(status, 'transformer.reasons.asking');
    return;
  }
  running = true;
  const { request } = window.lookedAt;
  shown = asked(request);
  put(status, 'transformer.reasons.asking');
  let answer = { error: 'frame.unanswered' };
  try {
    answer = await server.explain_token(request);
  } catch { /* the sentence above is shown */ }
  running = false;
  if (again) {
    again = false;
    explain();
    return;
  }
  if (asked(window.lookedAt.request) !== shown) return; // another one is looked at by now
  if (answer.error) clear(answer.error);
  else paint(answer);
}

function show() {
  if (!window.lookedAt) return;
  const { request } = window.lookedAt;
  ask.disabled = false;
  put(ask, 'transformer.reasons.why', { token: `${request.query}` });
  if (asked(request) === shown) return;
  shown = null;
  clear('');
}

ask.addEventListener('click', explain);
document.addEventListener('looked-at', show);
show();
