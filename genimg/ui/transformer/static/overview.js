// The whole machine on one screen: what it turned into what, for the token that is looked at, with
// the real shapes and small real pictures. Comes after payload.js, heads.js and next_token.js.
const STATION_PIXELS = 56; // of the pictures that are made of bars

// Bars from the floor up, as many as there are numbers, scaled to the largest.
function paintBars(canvas, numbers, color) {
  [canvas.width, canvas.height] = [Math.max(STATION_PIXELS, numbers.length), STATION_PIXELS];
  const context = canvas.getContext('2d');
  const [low, high] = [Math.min(0, ...numbers), Math.max(...numbers)];
  const width = canvas.width / numbers.length;
  context.fillStyle = color;
  numbers.forEach((number, i) => {
    const height = ((number - low) / (high - low || 1)) * STATION_PIXELS;
    context.fillRect(i * width, STATION_PIXELS - height, Math.max(width - (width > 3), 1), height);
  });
}

// Stations from the picture so far to the finished one. A click has `goTo` called with the part of
// the page that shows more, and a layer's with `chooseHead` first. `paintFrame` paints the picture
// of so many tokens on a canvas; `weightsOf` gives a head's weights, or null while they are on the way.
function makeOverview(target, drawing, { paintFrame, weightsOf, goTo, chooseHead }) {
  const { layers, heads, layout, machine, frames } = drawing;
  const { rows, columns } = layout;
  const [, high, wide, channels] = frames.shape;
  const count = rows * columns;
  const size = `${high} × ${wide} × ${channels}`;
  let state = null;

  function station(title, part, onClick = null, joined = false, layer = 0) {
    const item = written(target, 'li', joined && machine.residual ? 'joins' : '');
    const button = written(item, 'button');
    const canvas = written(button, 'canvas');
    put(written(button, 'b'), `transformer.machine.${title}`, { layer });
    const shape = written(button, 'span');
    button.type = 'button';
    button.addEventListener('click', () => { onClick?.(); goTo(part); });
    return { button, canvas, shape };
  }

  target.replaceChildren();
  const soFar = station('so_far', '.now');
  const tokens = station('tokens', '.now');
  const vectors = station('vectors', '.lens');
  const blocks = Array.from({ length: layers }, (_, layer) => ({
    attention: station('attention', '.attention', () => chooseHead(layer, state.head), true, layer),
    after: station('feed_forward', '.lens', null, true, layer),
  }));
  const logits = station('logits', '.next');
  const next = station('next', '.next');
  const decoded = station('decoder', '.now');

  function paint(drawn, shown) {
    state = shown;
    const { query, head } = state;
    const { data: numbers } = drawn.tokens;
    const color = getComputedStyle(target).getPropertyValue('--primary-600');
    paintFrame(soFar.canvas, query);
    soFar.shape.textContent = size;
    paintCells(tokens.canvas, shares(numbers), { ...layout, special: [] }, 1, drawn.colors.data, query);
    const vocabulary = `${machine.vocabulary}`;
    put(tokens.shape, 'transformer.machine.tokens_shape', { part: `${query}`, all: `${count}`, vocabulary });
    paintBars(vectors.canvas, Array.from({ length: query + 1 }, (_, i) => drawn.stream.data[i]), color);
    const shape = `${query + 1} × ${machine.width}`;
    put(vectors.shape, 'transformer.machine.vectors_shape', { shape, position: machine.position });
    blocks.forEach(({ attention, after }, layer) => {
      const weights = weightsOf(layer, head);
      const { colors } = drawn;
      if (weights) paintCells(attention.canvas, weights, layout, largestOf(weights), colors.data, query);
      const looking = { heads, positions: `${query + 1}`, head };
      put(attention.shape, 'transformer.machine.attention_shape', looking);
      attention.button.ariaPressed = String(layer === state.layer);
      paintPixels(after.canvas, itemOf(drawn.lens, layer + 1), drawn.lens.shape.slice(1), layout);
      after.shape.textContent = `${machine.width} → ${machine.feedForward} → ${machine.width}`;
    });
    const row = itemOf(drawn.logits, query);
    paintBars(logits.canvas, row, color);
    put(logits.shape, 'transformer.machine.logits_shape', { numbers: `${row.length}` });
    const token = numbers[query];
    const chance = nextTokenDistribution(row, 1, 0, 1)[token];
    paintPatch(next.canvas, query);
    put(next.shape, 'transformer.machine.next_shape', { token: `${token}`, chance: { percent: chance } });
    paintFrame(decoded.canvas, count);
    put(decoded.shape, 'transformer.machine.decoder_shape', { grid: `${rows} × ${columns}`, size });
  }

  // The patch of the token, as it looked when it was drawn.
  function paintPatch(canvas, query) {
    const whole = document.createElement('canvas');
    paintFrame(whole, query + 1);
    [canvas.width, canvas.height] = [wide / columns, high / rows];
    const [x, y] = [(query % columns) * canvas.width, Math.floor(query / columns) * canvas.height];
    canvas.getContext('2d').drawImage(whole, x, y, canvas.width, canvas.height, 0, 0, canvas.width, canvas.height);
  }

  // Numbers of tokens as shares of the vocabulary, so that each has a color.
  const shares = (numbers) => Array.from(numbers, (token) => token / machine.vocabulary);
  return { paint };
}
