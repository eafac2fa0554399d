// The spectrum of a model's pictures beside others. value: what SpectrumHandlers.compare yields.
// "measure" asks for {query}. Comes after helpers.js.
const find = (selector) => element.querySelector(selector);
const status = find('[role=status]');
const DRAWING = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [460, 240, 44, 34, 10];
let query = '';
let shownOf = null; // the model that was measured

const modelIn = (link) => {
  const entries = new URLSearchParams(link);
  return `${entries.get('model')} ${entries.get('after') ?? ''}`;
};

function drawn(parent, tag, attributes, words = '') {
  const made = document.createElementNS(DRAWING, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  put(made, words);
  parent.append(made);
}

// Curves [{name, class, x, y}] over frequencies, y in powers of ten.
function plot(svg, curves, mark, wordOf) {
  svg.replaceChildren();
  const all = curves.flatMap(({ y }) => y.map(Math.log10));
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const across = (x) => LEFT + ((WIDTH - LEFT - 8) * x) / (mark * 1.02);
  const up = (y) => HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - TOP) * (Math.log10(y) - low)) / (high - low || 1);
  for (const [x, words] of [[0, '0'], [0.25, '¼'], [0.5, '½'], [mark, 'gan.spectrum.mark']]) {
    const end = x === mark;
    drawn(svg, 'line', { class: end ? 'mark' : 'axis', x1: across(x), x2: across(x), y1: TOP, y2: HEIGHT - BOTTOM });
    drawn(svg, 'text', { x: across(x), y: HEIGHT - BOTTOM + 14, 'text-anchor': end ? 'end' : 'middle' }, words);
  }
  drawn(svg, 'text', { x: across(0.25), y: HEIGHT - 4, 'text-anchor': 'middle' }, 'gan.spectrum.cycles');
  const middle = (low + high) / 2;
  for (const power of [low, middle, high].map((x) => 10 ** x)) {
    drawn(svg, 'text', { x: LEFT - 6, y: up(power) + 4, 'text-anchor': 'end' }, wordOf(power));
  }
  for (const { name, kind, x, y } of curves) {
    const path = x.map((at, i) => `${i ? 'L' : 'M'}${across(at).toFixed(1)} ${up(y[i]).toFixed(1)}`).join('');
    drawn(svg, 'path', { class: kind, d: path });
    drawn(svg.lastChild, 'title', {}, name);
  }
}

function show({ rows, mark, code }) {
  const real = rows.find((row) => row.real);
  let other = 0;
  const curves = rows.map((row) => {
    const kind = row.real ? 'real' : row.shown ? 'shown' : `other-${(other += 1)}`;
    return { ...row, kind, x: row.frequencies, y: row.power.map((value) => Math.max(value, 1e-12)) };
  });
  const power = (value) => `10${String(Math.round(Math.log10(value))).replace('-', '⁻').replace(/\d/g, (digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[digit])}`;
  plot(find('.power'), curves, mark, power);
  find('.relative').hidden = !real;
  if (real) {
    const first = curves.find((curve) => curve.real);
    const ratios = curves.map((curve) => ({ ...curve, y: curve.y.map((value, i) => value / first.y[i]) }));
    plot(find('.ratio'), ratios, mark, (value) => value.toPrecision(2));
  }
  const percent = (share) => ({ say: 'number.percent', number: String(Math.round(100 * share)) });
  const share = (value, of) => (real ? percent(value / of) : value.toExponential(1));
  find('tbody').replaceChildren(...curves.map((row) => {
    const line = document.createElement('tr');
    const head = written(line, 'th', row.kind);
    head.scope = 'row';
    head.append(document.createElement('i'));
    put(written(head, 'span'), row.name);
    put(written(line, 'td'), share(row.detail, real?.detail));
    put(written(line, 'td'), share(row.jaggies, real?.jaggies));
    written(line, 'td', '', row.checkerboard.toFixed(2));
    return line;
  }));
  const words = curves
    .map(({ name, checkerboard }) => ({ say: 'gan.spectrum.row', name, number: checkerboard.toFixed(2) }))
    .reduce((first, second) => ({ say: 'gan.spectrum.rows', first, second }));
  for (const svg of element.querySelectorAll('svg')) putOn(svg, 'aria-label', words);
  find('code').textContent = code;
  find('.found').hidden = false;
  put(status, '');
}

find('.ask').addEventListener('click', () => {
  if (!query) return;
  shownOf = modelIn(query);
  put(status, 'gan.spectrum.drawing');
  trigger('measure', { query });
});
watch('value', () => {
  const value = props.value;
  if (!value) return;
  if (value.error) put(status, value.error);
  else if (value.rows) show(value);
  else put(status, 'gan.spectrum.drawn', { done: String(value.done), total: String(value.of) });
});
find('.snippet button').addEventListener('click', () => copyText(find('code'), find('.snippet button')));
document.addEventListener('settled', ({ detail }) => {
  query = detail.query;
  if (shownOf === null || shownOf === modelIn(query)) return;
  shownOf = null; // what is shown belongs to another model
  find('.found').hidden = true;
  put(status, '');
});
document.dispatchEvent(new CustomEvent('ask-what-settled'));
