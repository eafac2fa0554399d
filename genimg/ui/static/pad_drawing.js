// Strokes and cells on the pad, by hand and by keys.
const PAPER = 240; // the ground of what is drawn in colour

function show() {
  const { size, channels, rows } = props.value;
  const image = new ImageData(size, size);
  for (let i = 0; i < size * size; i += 1) {
    for (let c = 0; c < 3; c += 1) {
      image.data[4 * i + c] = pixels[channels * i + (channels === 3 ? c : 0)];
    }
    image.data[4 * i + 3] = 255;
  }
  small.getContext('2d').putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  if (hidden.length) showCells();
  if (canvas.matches(':focus-visible')) showCursor();
  put(find('.caption'), caption);
  putOn(canvas, 'aria-label', 'pad.canvas', { caption, size });
  numberField.value = number ?? '';
  if (hidden.length) {
    const firstHidden = hidden.indexOf(true);
    const kept = firstHidden < 0 ? rows : Math.floor(firstHidden / props.value.columns);
    rowsField.value = kept;
    put(find('.rows output'), 'pad.kept', { kept, rows });
  }
}

function showCells() {
  const { rows, columns } = props.value;
  const [height, width] = [canvas.height / rows, canvas.width / columns];
  hidden.forEach((cell, i) => {
    const [x, y] = [(i % columns) * width, Math.floor(i / columns) * height];
    context.strokeStyle = 'rgba(128, 128, 128, 0.28)';
    context.lineWidth = 1;
    context.strokeRect(x + 0.5, y + 0.5, width, height);
    if (!cell) return;
    context.save();
    context.beginPath();
    context.rect(x, y, width, height);
    context.clip();
    context.fillStyle = 'rgba(112, 108, 102, 0.86)';
    context.fill();
    context.strokeStyle = 'rgba(255, 255, 255, 0.2)';
    context.lineWidth = 2;
    for (let d = -height; d < width; d += 16) { // lines that go on in the next cell
      context.moveTo(x + d, y + height);
      context.lineTo(x + d + height, y);
    }
    context.stroke();
    context.restore();
  });
}

function showCursor() {
  const { width, height } = tool === 'hide' ? cellSize() : { width: 1, height: 1 };
  const [x, y] = [Math.floor(cursor.x / width) * width, Math.floor(cursor.y / height) * height];
  for (const [color, line] of [['#000', 6], ['#fff', 3]]) { // seen on light and on dark
    context.strokeStyle = color;
    context.lineWidth = line;
    context.strokeRect(x * SCALE, y * SCALE, width * SCALE, height * SCALE);
  }
}

function cellSize() {
  const { size, rows, columns } = props.value;
  return { width: size / columns, height: size / rows };
}

function ink() {
  if (tool === 'erase') return Array(3).fill(props.value.channels === 3 ? PAPER : 0);
  if (props.value.channels === 1) return [Number(find('.shade input').value)];
  return find('.paint input').value.match(/[0-9a-f]{2}/gi).map((part) => parseInt(part, 16));
}

// A pixel takes the most that any point of the stroke gives it, so that a soft edge stays soft
// however slowly the hand moves.
function brush(from, to) {
  const { size, channels } = props.value;
  const radius = Number(find('.width input').value) / 2;
  const color = ink();
  const steps = Math.max(1, Math.ceil(2 * Math.hypot(to.x - from.x, to.y - from.y)));
  for (let step = 0; step <= steps; step += 1) {
    const x = from.x + ((to.x - from.x) * step) / steps - 0.5;
    const y = from.y + ((to.y - from.y) * step) / steps - 0.5;
    const [top, left] = [y, x].map((middle) => Math.max(0, Math.floor(middle - radius - 1)));
    const [bottom, right] = [y, x].map((m) => Math.min(size - 1, Math.ceil(m + radius + 1)));
    for (let row = top; row <= bottom; row += 1) {
      for (let column = left; column <= right; column += 1) {
        const reach = (radius + 0.75 - Math.hypot(row - y, column - x)) / 1.5;
        const i = row * size + column;
        stroke.coverage[i] = Math.max(stroke.coverage[i], Math.min(1, Math.max(0, reach)));
        for (let c = 0; c < channels; c += 1) {
          const before = stroke.base[channels * i + c];
          pixels[channels * i + c] = before + (color[c] - before) * stroke.coverage[i];
        }
      }
    }
  }
}

function cellAt({ x, y }) {
  const { width, height } = cellSize();
  return Math.floor(y / height) * props.value.columns + Math.floor(x / width);
}

function begin(at) {
  if (tool === 'hide') {
    stroke = { hide: !hidden[cellAt(at)] }; // from a hidden cell on, the brush uncovers
  } else {
    const coverage = new Float32Array(props.value.size ** 2);
    stroke = { base: pixels.slice(), coverage, last: at };
    if (number !== null) [number, caption] = [null, { say: 'pad.caption.changed', caption }];
    keepAsItIs();
  }
  move(at);
}

function move(at) {
  if (tool === 'hide') {
    hidden[cellAt(at)] = stroke.hide;
  } else {
    brush(stroke.last, at);
    stroke.last = at;
  }
  show();
}

function end() {
  if (!stroke) return;
  stroke = null;
  tell();
}

function pointOf(event) {
  const { size } = props.value;
  const box = canvas.getBoundingClientRect();
  const inside = (share) => Math.min(size - 0.001, Math.max(0, share * size));
  return {
    x: inside((event.clientX - box.left) / box.width),
    y: inside((event.clientY - box.top) / box.height),
  };
}

canvas.addEventListener('pointerdown', (event) => {
  if (event.button !== 0) return;
  canvas.setPointerCapture(event.pointerId);
  begin(pointOf(event));
});
canvas.addEventListener('pointermove', (event) => {
  if (!stroke) return;
  for (const one of event.getCoalescedEvents?.() ?? []) move(pointOf(one));
  move(pointOf(event));
});
canvas.addEventListener('pointerup', end);
canvas.addEventListener('pointercancel', end);
canvas.addEventListener('focus', show);
canvas.addEventListener('blur', show);
canvas.addEventListener('keydown', (event) => {
  const { width, height } = tool === 'hide' ? cellSize() : { width: 1, height: 1 };
  const moves = {
    ArrowLeft: [-width, 0], ArrowRight: [width, 0], ArrowUp: [0, -height], ArrowDown: [0, height],
  };
  const last = props.value.size - 1;
  if (event.key.toLowerCase() === 'z' && (event.ctrlKey || event.metaKey) && !event.shiftKey) {
    undo();
  } else if (event.key in moves) {
    const [x, y] = moves[event.key];
    cursor.x = Math.min(last, Math.max(0, cursor.x + x));
    cursor.y = Math.min(last, Math.max(0, cursor.y + y));
    show();
  } else if (event.key === ' ' || event.key === 'Enter') {
    begin({ x: cursor.x + 0.5, y: cursor.y + 0.5 });
    end();
  } else {
    return;
  }
  event.preventDefault();
});
