// Painting units into the picture, by hand and by keys. Comes after inside.js.

// What is painted, as a veil over the picture; and where the keyboard is.
function showPaint() {
  const canvas = find('.paint');
  const side = size();
  [canvas.width, canvas.height] = [256, 256];
  const context = canvas.getContext('2d');
  if (!side) return;
  const cell = 256 / side;
  if (stroke) {
    context.fillStyle = 'rgba(67, 176, 159, 0.55)';
    change().mask.forEach((on, i) => {
      if (on) context.fillRect((i % side) * cell, Math.floor(i / side) * cell, cell, cell);
    });
  }
  if (paper.matches(':focus-visible')) {
    for (const [color, width] of [['#000', 4], ['#fff', 2]]) { // seen on light and on dark
      [context.strokeStyle, context.lineWidth] = [color, width];
      context.beginPath();
      context.arc(256 * cursor.x, 256 * cursor.y, 256 * BRUSH, 0, 7);
      context.stroke();
    }
  }
}

function paintAt(x, y) {
  const side = size();
  const { mask } = change();
  const middle = Math.floor(y * side) * side + Math.floor(x * side);
  for (let i = 0; i < mask.length; i += 1) {
    const far = Math.hypot(((i % side) + 0.5) / side - x, (Math.floor(i / side) + 0.5) / side - y);
    if (i === middle || far < BRUSH) mask[i] = stroke.value;
  }
}

function begin(x, y) {
  if (!size()) return;
  if (!change().units.length) {
    put(status, 'gan.inside.paint_first');
    return;
  }
  const at = Math.floor(y * size()) * size() + Math.floor(x * size());
  stroke = { value: change().mask[at] ? 0 : 1, x, y }; // from a painted place on, it is rubbed out
  move(x, y);
}

function move(x, y) {
  const steps = Math.max(1, Math.ceil(Math.hypot(x - stroke.x, y - stroke.y) / (BRUSH / 2)));
  for (let i = 1; i <= steps; i += 1) {
    paintAt(stroke.x + ((x - stroke.x) * i) / steps, stroke.y + ((y - stroke.y) * i) / steps);
  }
  Object.assign(stroke, { x, y });
  showPaint();
  run();
}

function end() {
  if (!stroke) return;
  stroke = null;
  showPaint();
  run();
}

function pointOf(event) {
  const box = paper.getBoundingClientRect();
  const inside = (share) => Math.min(0.9999, Math.max(0, share));
  return [inside((event.clientX - box.left) / box.width), inside((event.clientY - box.top) / box.height)];
}

paper.addEventListener('pointerdown', (event) => {
  if (event.button !== 0) return;
  paper.setPointerCapture(event.pointerId);
  begin(...pointOf(event));
});
paper.addEventListener('pointermove', (event) => { if (stroke) move(...pointOf(event)); });
for (const name of ['pointerup', 'pointercancel']) paper.addEventListener(name, end);
for (const name of ['focus', 'blur']) paper.addEventListener(name, showPaint);
paper.addEventListener('keydown', (event) => {
  const step = Math.max(1 / (size() || 1), 1 / 16);
  const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
  const inside = (share) => Math.min(1 - step / 2, Math.max(step / 2, share));
  if (event.key in moves) {
    const [x, y] = moves[event.key];
    cursor = { x: inside(cursor.x + x), y: inside(cursor.y + y) };
    showPaint();
  } else if (event.key === ' ' || event.key === 'Enter') {
    begin(cursor.x, cursor.y);
    end();
  } else {
    return;
  }
  event.preventDefault();
});
