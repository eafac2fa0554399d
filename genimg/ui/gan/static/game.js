// The game, step by step. value: what GameHandlers.press yields; starts, parts, formulas, sizes: what
// never changes. "press" asks for {start, moves, player?, count?}. A game is its start and its moves:
// they are in the address, so that a reload or a link plays it again.
// Comes after helpers.js, payload.js and game_diagram.js.
const find = (selector) => element.querySelector(selector);
const all = (selector) => Array.from(element.querySelectorAll(selector));
const select = find('.start select');
const status = find('[role=status]');
const calm = window.matchMedia('(prefers-reduced-motion: reduce)');
const STEP_MILLISECONDS = 400; // for which each of the four steps is marked
const WAIT_MILLISECONDS = 1000; // after which a visitor is told of the queue
const NETWORKS = { discriminator: ['discriminator'], generator: ['generator'], both: ['discriminator', 'generator'] };
const EDGES = {
  noise: ['noise-generator'],
  generate: ['generator-generated'],
  judge: ['generated-discriminator', 'real-discriminator', 'discriminator-scores'],
};
const names = props.starts.map(([name]) => name);
const part = find('.part');
const diagram = makeDiagram(find('.diagram'), props.parts, (title, sentence) => {
  part.replaceChildren(make('b', title), ` ${sentence}`);
});
let game = { start: names[0], moves: '' };
let times = 1;
let busy = false;
let asked = false; // whether anything was asked for yet
let waiting = null;

function make(tag, text, className = '') {
  const made = document.createElement(tag);
  [made.textContent, made.className] = [text, className];
  return made;
}

const signed = (value) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
const plain = (value) => (value < 0 ? '−' : '') + Math.abs(value).toPrecision(3).replace(/e([+-]\d+)$/, ' · 10^$1');
const wholePercent = (share) => `${Math.round(100 * share)} %`;

// What each network does in a step, in order: [step, edges].
function walkOf(player) {
  return NETWORKS[player].flatMap((side) => ['noise', 'generate', 'judge', 'update'].map((step) => {
    const update = [`scores-${side}_loss`, `${side}_loss-${side}`];
    const edges = step === 'update' ? update : EDGES[step];
    // The generator learns from its own pictures alone.
    return [step, side === 'generator' ? edges.filter((edge) => edge !== 'real-discriminator') : edges];
  }));
}

function mark(step, edges) {
  for (const item of all('.steps li')) item.classList.toggle('active', step === 'all' || item.dataset.step === step);
  diagram.light(edges);
}

// Marks the steps in order, once at least and as long as the game goes on; all at once where nothing
// should move.
async function walk(player) {
  const steps = walkOf(player);
  if (calm.matches) {
    mark('all', steps.flatMap(([, edges]) => edges));
    return;
  }
  const mine = walk.latest = {};
  do {
    for (const [step, edges] of steps) {
      if (walk.latest !== mine) return;
      mark(step, edges);
      await new Promise((resolve) => { setTimeout(resolve, STEP_MILLISECONDS); });
    }
  } while (busy && walk.latest === mine);
  if (walk.latest === mine) mark('', []);
}

function setBusy(now) {
  busy = now;
  element.classList.toggle('playing', now);
  // Not disabled, which would take the focus of whoever uses the keyboard.
  for (const each of all('.presses [data-player], .again, select')) each.ariaDisabled = String(now);
}

function ask(more = {}) {
  if (busy) return;
  setBusy(true);
  asked = true;
  status.textContent = '';
  waiting = setTimeout(() => {
    status.textContent = 'Waiting: another visitor’s game is being played. Yours comes next.';
  }, WAIT_MILLISECONDS);
  if (more.player) walk(more.player);
  trigger('press', { ...game, ...more });
}

function showStart() {
  select.selectedIndex = names.indexOf(game.start);
  find('.sentence').textContent = props.starts[names.indexOf(game.start)]?.[2] ?? '';
}

function paintSamples({ data, shape: [count, height, width] }) {
  const canvas = find('.samples canvas');
  const across = Math.sqrt(count);
  [canvas.width, canvas.height] = [across * width, across * height];
  const image = new ImageData(canvas.width, canvas.height);
  for (let i = 0; i < data.length; i += 1) {
    const [sample, row, column] = [Math.floor(i / (width * height)), Math.floor(i / width) % height, i % width];
    const x = (sample % across) * width + column;
    const y = Math.floor(sample / across) * height + row;
    image.data.set([data[i], data[i], data[i], 255], 4 * (y * canvas.width + x));
  }
  canvas.getContext('2d').putImageData(image, 0, 0);
}

function paintScores(look, { real, fake }) {
  const svg = find('.scores svg');
  const [width, base] = [320, 100];
  const [low, high] = look.span;
  const tallest = Math.max(...real.data, ...fake.data);
  svg.replaceChildren();
  for (const [kind, { data }] of [['real', real], ['fake', fake]]) {
    const step = width / data.length;
    const tops = Array.from(data, (count, i) => `L${i * step} ${base - (90 * count) / tallest}h${step}`);
    drawn(svg, 'path', { class: kind, d: `M0 ${base}${tops.join('')}L${width} ${base}Z` });
  }
  if (low < 0 && high > 0) {
    const zero = (-low / (high - low)) * width;
    drawn(svg, 'line', { x1: zero, x2: zero, y1: 4, y2: base });
    if (zero > 40 && zero < width - 40) drawn(svg, 'text', { x: zero, y: 116, 'text-anchor': 'middle' }, '0');
  }
  drawn(svg, 'text', { x: 0, y: 116 }, signed(low));
  drawn(svg, 'text', { x: width, y: 116, 'text-anchor': 'end' }, signed(high));
  const words = `The discriminator is right about ${wholePercent(look.right.real)} of the real and`
    + ` ${wholePercent(look.right.fake)} of the generated ones.`;
  find('.scores p').textContent = words;
  svg.setAttribute('aria-label', `Real ${signed(look.scores.real)} and generated ${signed(look.scores.fake)} on average. ${words}`);
}

function showLosses(look) {
  const formulas = props.formulas[look.rules.objective];
  const sides = [['discriminator', 'Discriminator'], ['generator', 'Generator']];
  find('.losses dl').replaceChildren(...sides.flatMap(([side, title], i) => {
    const value = make('dd', '');
    value.append(make('code', formulas[i]), ' = ', make('b', plain(look.losses[side])));
    return [make('dt', title), value];
  }));
  const kinds = [['minimax', 'Saturating (minimax)'], ['nonsaturating', 'Non-saturating']];
  find('.gradients').replaceChildren(...kinds.map(([kind, title]) => {
    const row = make('p', '', kind === look.rules.objective ? 'used' : '');
    const [track, fill] = [make('span', '', 'track'), make('i', '')];
    // From a millionth to ten, in powers of ten.
    const share = (Math.log10(look.gradients[kind] || 1e-9) + 6) / 7;
    fill.style.width = `${100 * Math.min(1, Math.max(0, share))}%`;
    track.append(fill);
    const name = make('span', title);
    name.append(make('code', props.formulas[kind][1]));
    row.append(name, track, make('b', plain(look.gradients[kind])));
    return row;
  }));
}

function showDiagram(look) {
  const { sizes } = props;
  const learns = (side) => [`${Math.round(sizes[side] / 1000)} 000 weights`, `${look.rules.optimizer}, rate ${look.rules.rate}`];
  diagram.show({
    noise: [`${sizes.noise} numbers`, 'a picture'],
    generator: learns('generator'),
    generated: [`${sizes.batch} a step`, `variety ${look.variety.toFixed(2)}`],
    real: [`${sizes.batch} a step`],
    discriminator: learns('discriminator'),
    scores: [`real ${signed(look.scores.real)}`, `generated ${signed(look.scores.fake)}`],
    discriminator_loss: [plain(look.losses.discriminator)],
    generator_loss: [plain(look.losses.generator)],
    'generator_loss-generator': `gradient ${plain(look.gradients[look.rules.objective])}`,
  });
  const texts = {
    noise: `${sizes.batch} times ${sizes.noise} random numbers are picked.`,
    generate: `The generator turns them into ${sizes.batch} pictures.`,
    judge: `The discriminator scores them, and ${sizes.batch} real ones when it is to learn itself.`,
    update: `The gradient of the loss moves the weights of whoever learns. So far: discriminator ${look.steps.discriminator}, generator ${look.steps.generator} times.`,
  };
  for (const item of all('.steps li')) item.querySelector('span').textContent = texts[item.dataset.step];
}

function showLook(look) {
  const arrays = unpack(look);
  paintSamples(arrays.samples);
  paintScores(look, arrays);
  showLosses(look);
  showDiagram(look);
}

function done() {
  clearTimeout(waiting);
  setBusy(false);
  if (calm.matches) mark('', []);
}

function load() {
  const value = props.value;
  if (!value) return;
  clearTimeout(waiting);
  if (value.refused) {
    status.textContent = value.refused;
    done();
  } else if (value.again) {
    status.textContent = `Playing the moves of this game again: ${value.again.join(' of ')} steps.`;
  } else if (value.arrays) {
    showLook(value);
    if (value.over) {
      // A game that was only opened leaves no trace in the address.
      if (game.start !== names[0] || value.moves || textInAddress('game')) {
        writeAddress(['game', 'moves'], value.moves ? { game: value.start, moves: value.moves } : { game: value.start });
      }
      game.moves = value.moves;
      find('.sentence').hidden = Boolean(value.moves); // it tells of the start
      status.textContent = '';
      done();
    }
  }
}

function begin(start) {
  if (!busy) game = { start, moves: '' };
  showStart();
  ask();
}

select.replaceChildren(...props.starts.map(([, title]) => new Option(title)));
select.addEventListener('change', () => begin(names[select.selectedIndex]));
find('.again').addEventListener('click', () => begin(names.includes(game.start) ? game.start : names[0]));
for (const button of all('[data-player]')) {
  button.addEventListener('click', () => ask({ player: button.dataset.player, count: times }));
}
for (const button of all('[data-times]')) {
  button.addEventListener('click', () => {
    times = Number(button.dataset.times);
    for (const other of all('[data-times]')) other.ariaPressed = String(other === button);
  });
}
if (textInAddress('game')) game = { start: textInAddress('game'), moves: textInAddress('moves') };
showStart();
watch('value', load);
// Nothing is asked for before somebody opens the part of the page that the game is in.
new ResizeObserver(() => {
  if (!asked && element.clientWidth) ask();
}).observe(element);
