// Attention as pictures: nearest, never smoothed, on a scale that the caller names.
//
// layout: {rows, columns, special}; special are the words of the tokens that are no patches. A row of
// weights has the special tokens first and then the patches in raster order.
// colors: Uint8Array of (257, 3) from the lowest to the highest value (genimg/render/colors.py).

function entropyOf(weights) {
  let sum = 0;
  for (const weight of weights) if (weight > 0) sum -= weight * Math.log(weight);
  return sum;
}

function largestOf(weights) {
  return weights.reduce((largest, weight) => Math.max(largest, weight), 0);
}

// Three digits: what is below 1 after the point, what is larger in all.
const threeDigits = (number) => (Math.abs(number) <= 1 ? number.toFixed(3) : number.toPrecision(3));

// Words, or '', of several: one beside the other.
function beside(all) {
  if (!all.length) return '';
  return all.reduce((one, other) => ({ say: 'frame.beside', one, other }));
}

const tokenWords = (number) => ({ say: 'transformer.token', number: `${number}` });
const weighted = (place, weight) => ({ say: 'transformer.weighted', place, weight });

// What is said below a head's map and, in full, of it.
function entropyWords(weights) {
  const [entropy, maximum] = [entropyOf(weights).toFixed(2), largestOf(weights).toFixed(3)];
  return [entropy, { say: 'transformer.heads.entropy', entropy, maximum }];
}

// Weights, or the lengths of what each token adds with them: times those of the projected values.
function lengthsOrWeights(weights, lengths) {
  return lengths ? weights.map((weight, i) => weight * lengths[i]) : weights;
}

// The same as entropyWords where such lengths are shown.
function addedWords(lengths) {
  const most = threeDigits(largestOf(lengths));
  return [most, { say: 'transformer.heads.added', most }];
}

// The positions of the three largest weights, the largest first.
function threeLargest(weights) {
  return Array.from(weights.keys()).sort((a, b) => weights[b] - weights[a]).slice(0, 3);
}

// Lays `marker` over a patch; hides it where `patch` is negative, a token that is no patch.
function markPatch(marker, patch, { rows, columns }) {
  marker.hidden = patch < 0;
  marker.style.left = `${(100 * (patch % columns)) / columns}%`;
  marker.style.top = `${(100 * Math.floor(patch / columns)) / rows}%`;
  marker.style.width = `${100 / columns}%`;
  marker.style.height = `${100 / rows}%`;
}

// The patch under the pointer; outside of the map the nearest one.
function patchAt(event, { rows, columns }) {
  const box = event.currentTarget.getBoundingClientRect();
  const inside = (share, count) => Math.min(count - 1, Math.max(0, Math.floor(share * count)));
  const row = inside((event.clientY - box.top) / box.height, rows);
  return row * columns + inside((event.clientX - box.left) / box.width, columns);
}

// Pixels (height, width, channels) on a canvas. Patches from `visible` on stay transparent.
function paintPixels(canvas, pixels, [height, width, channels], { rows, columns }, visible = Infinity) {
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i += 1) {
    const [x, y] = [i % width, Math.floor(i / width)];
    const patch = Math.floor((y * rows) / height) * columns + Math.floor((x * columns) / width);
    const color = [0, 1, 2].map((channel) => pixels[i * channels + (channel % channels)]);
    image.data.set([...color, patch < visible ? 255 : 0], 4 * i);
  }
  [canvas.width, canvas.height] = [width, height];
  canvas.getContext('2d').putImageData(image, 0, 0);
}

// The place in `colors` of a share of the scale; what is outside gets the color of its end.
function colorRow(colors, share) {
  return 3 * Math.round(Math.min(1, Math.max(0, share || 0)) * (colors.length / 3 - 1));
}

function colorOf(colors, share) {
  const row = colorRow(colors, share);
  return `rgb(${colors[row]}, ${colors[row + 1]}, ${colors[row + 2]})`;
}

// One pixel for each patch; style.css enlarges them. Patches from `visible` on stay transparent.
function paintCells(canvas, weights, layout, high, colors, visible = Infinity) {
  const { rows, columns, special } = layout;
  [canvas.width, canvas.height] = [columns, rows];
  const pixels = new ImageData(columns, rows);
  for (let patch = 0; patch < Math.min(visible, rows * columns); patch += 1) {
    const row = colorRow(colors, weights[special.length + patch] / high);
    pixels.data.set([colors[row], colors[row + 1], colors[row + 2], 255], 4 * patch);
  }
  canvas.getContext('2d').putImageData(pixels, 0, 0);
}

// A cell with its weight for each special token.
function paintSpecial(target, weights, layout, high, colors) {
  const cells = layout.special.map((name, i) => {
    const [cell, called] = [document.createElement('div'), document.createElement('div')];
    const [square, weight] = [document.createElement('i'), document.createElement('span')];
    put(called, name);
    square.style.backgroundColor = colorOf(colors, weights[i] / high);
    weight.textContent = threeDigits(weights[i]);
    cell.append(called, square, weight);
    return cell;
  });
  target.replaceChildren(...cells);
}

function paintColorBar(target, high, colors) {
  if (!target.firstChild) {
    const bar = document.createElement('canvas');
    target.append(document.createElement('span'), bar, document.createElement('span'));
    [bar.width, bar.height] = [colors.length / 3, 1];
    const pixels = new ImageData(bar.width, 1);
    for (let i = 0; i < bar.width; i += 1) {
      pixels.data.set([...colors.subarray(3 * i, 3 * i + 3), 255], 4 * i);
    }
    bar.getContext('2d').putImageData(pixels, 0, 0);
  }
  target.firstChild.textContent = '0';
  target.lastChild.textContent = threeDigits(high);
}

// A thumbnail for each head, a line for each layer. Arrow keys move, like in a table. Paint it again
// after a switch of language.
function makeHeadGrid(target, layers, heads, onChoose) {
  const thumbnails = [];
  let chosen = null;
  target.replaceChildren();
  target.style.setProperty('--heads', heads);

  function choose(layer, head) {
    if (chosen) [chosen.button.tabIndex, chosen.button.ariaPressed] = [-1, 'false'];
    chosen = thumbnails[layer * heads + head];
    [chosen.button.tabIndex, chosen.button.ariaPressed] = [0, 'true'];
  }

  function paint(weightsOf, layout, high, colors, visible, inWords = entropyWords) {
    for (const { layer, head, button, cells, special, label } of thumbnails) {
      const weights = weightsOf(layer, head);
      const [short, long] = inWords(weights);
      paintCells(cells, weights, layout, high, colors, visible);
      const column = { rows: layout.special.length, columns: 1, special: [] };
      special.hidden = column.rows === 0;
      if (column.rows) paintCells(special, weights, column, high, colors);
      label.textContent = short;
      button.title = say('transformer.heads.head', { layer, head, said: long });
      button.ariaLabel = button.title;
    }
  }

  for (let layer = 0; layer < layers; layer += 1) {
    const line = document.createElement('span');
    put(line, 'transformer.layer', { layer });
    target.append(line);
    for (let head = 0; head < heads; head += 1) {
      const button = document.createElement('button');
      const picture = document.createElement('span');
      const [special, cells] = [document.createElement('canvas'), document.createElement('canvas')];
      const label = document.createElement('span');
      [button.type, button.tabIndex, cells.className] = ['button', -1, 'hatched'];
      picture.append(special, cells);
      button.append(picture, label);
      button.addEventListener('click', () => onChoose(layer, head));
      target.append(button);
      thumbnails.push({ layer, head, button, cells, special, label });
    }
  }
  target.onkeydown = (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -heads, ArrowDown: heads };
    const next = thumbnails[thumbnails.indexOf(chosen) + steps[event.key]];
    if (!next) return;
    event.preventDefault();
    onChoose(next.layer, next.head);
    next.button.focus();
  };
  return { paint, choose };
}
