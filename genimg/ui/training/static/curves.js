// Curves that grow: the elements stay, only the lines get longer, and a zoom stays where it is.
// Comes after helpers.js. All charts share the horizontal axis (pictures seen), its zoom, and the
// pointer's place.
const SVG = 'http://www.w3.org/2000/svg';
const COLORS = 8; // those of the style sheets; of more curves some share one
const HEIGHT = 150;
const MARGIN = { left: 46, right: 8, top: 6, bottom: 20 };
const LEAST_DRAG = 6; // pixels; less is a click

function drawn(parent, tag, attributes = {}) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  parent.append(made);
  return made;
}

function spelled(value, unit) {
  const size = Math.abs(value);
  if (unit === 'bytes') {
    return size >= 1e9 ? `${+(value / 1e9).toPrecision(3)} GB` : `${Math.round(value / 1e6)} MB`;
  }
  if (size >= 1e9) return `${+(value / 1e9).toPrecision(3)}G`;
  if (size >= 1e6) return `${+(value / 1e6).toPrecision(3)}M`;
  if (size >= 1e4) return `${+(value / 1e3).toPrecision(3)}k`;
  return String(+value.toPrecision(size >= 100 ? 4 : 3));
}

// Round numbers over a range, about `count` of them.
function ticksOf(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const ticks = [];
  for (let i = Math.ceil(low / step); i * step <= high + step * 1e-6; i += 1) ticks.push(i * step);
  return ticks;
}

// Index of the last number that is at most `place`, or -1.
function lastBefore(numbers, place) {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] <= place) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

// Joins what is new to what is there: from `begin` on the new points count.
function joined(old, begin, [xs, ys]) {
  const kept = old ? lastBefore(old[0], begin - 1) + 1 : 0;
  return kept ? [[...old[0].slice(0, kept), ...xs], [...old[1].slice(0, kept), ...ys]] : [xs, ys];
}

// The most pictures that any run has reported anything of, so that all charts end alike.
function lastPlace(runs) {
  const curves = runs.flatMap(({ history }) => Object.values(history?.values ?? {}));
  return Math.max(1, ...curves.flatMap(([xs]) => xs.slice(-1)));
}

// Takes in an answer of the server; returns the history to keep: {cursor, values}.
function grown(history, { cursor, begin, values }) {
  const before = begin > 0 ? history?.values ?? {} : {};
  const merged = { ...before };
  for (const [name, points] of Object.entries(values)) merged[name] = joined(before[name], begin, points);
  return { cursor, values: merged };
}

function pathOf([xs, ys], [low, high], x, y) {
  // One point more on each side, so that a line leaves the chart instead of ending in it.
  const first = Math.max(0, lastBefore(xs, low));
  const last = Math.min(xs.length - 1, lastBefore(xs, high) + 1);
  let [path, pen] = ['', 'M'];
  for (let i = first; i <= last; i += 1) {
    if (ys[i] === null) pen = 'M'; // a gap
    else {
      path += `${pen}${x(xs[i]).toFixed(1)} ${y(ys[i]).toFixed(1)}`;
      // A lone point between gaps is drawn as a short line.
      if (pen === 'M' && (i === last || ys[i + 1] === null)) path += 'm-2 0h4';
      pen = 'L';
    }
  }
  return path;
}

// Returns {show(runs), reset()}: runs are [{name, history}], the first solid, the second dashed.
function makeCurves(parent, charts) {
  const shared = { zoom: null, place: null, runs: [] };
  const bar = written(parent, 'div', 'curve-bar');
  put(written(bar, 'span'), 'training.curves.drag');
  const reset = written(bar, 'button');
  put(reset, 'training.curves.everything');
  reset.type = 'button';
  const grid = written(parent, 'div', 'curve-grid');
  const made = charts.map((chart) => makeChart(grid, chart, shared, drawAll));
  function drawAll() {
    reset.hidden = shared.zoom === null;
    made.forEach((chart) => chart.draw());
  }
  reset.addEventListener('click', () => { shared.zoom = null; drawAll(); });
  new ResizeObserver(drawAll).observe(grid);
  document.addEventListener('reworded', drawAll); // what is read of the charts
  return {
    show(runs) { shared.runs = runs; drawAll(); },
    reset() { shared.zoom = shared.place = null; },
  };
}

function labelled(label, unit) { return { say: 'training.curves.with_unit', label, unit }; }

function makeChart(grid, chart, shared, drawAll) {
  const figure = written(grid, 'figure', 'chart');
  figure.dataset.chart = say(chart.title, {}, 'en');
  put(written(figure, 'figcaption'), chart.title);
  const legend = written(figure, 'div', 'legend');
  const svg = drawn(figure, 'svg', { tabindex: 0, role: 'img' });
  const [lines, axes, front] = ['lines', 'axes', 'front'].map((name) => drawn(svg, 'g', { class: name }));
  const selection = drawn(front, 'rect', { class: 'selection', visibility: 'hidden' });
  const pointer = drawn(front, 'line', { class: 'pointer', visibility: 'hidden' });
  const series = chart.curves.flatMap((curve, color) => [0, 1].map((run) => ({
    curve, run, path: drawn(lines, 'path', { class: `curve-${color % COLORS} run-${run}` }),
  })));
  const entries = chart.curves.map((curve, color) => {
    const entry = written(legend, 'span', `entry curve-${color % COLORS}`);
    putOn(entry, 'title', curve.meaning);
    written(entry, 'i', '');
    // Bytes are read with a unit of their own, such as MB.
    const withUnit = curve.unit && curve.unit !== 'bytes';
    put(written(entry, 'span'), withUnit ? labelled(curve.label, curve.counted) : curve.label);
    return { entry, reading: written(entry, 'b', '') };
  });
  let scale = null;
  let start = null;

  function pointsOf(run, curve) { return shared.runs[run]?.history?.values[curve.name]; }

  function draw() {
    const known = series.filter(({ run, curve }) => pointsOf(run, curve));
    figure.hidden = !known.length;
    if (!known.length || !figure.clientWidth) return;
    const width = figure.clientWidth;
    const [left, right] = shared.zoom ?? [0, lastPlace(shared.runs)];
    const [low, high] = rangeOf(known, left, right);
    const x = (value) => MARGIN.left + ((value - left) / (right - left)) * (width - MARGIN.left - MARGIN.right);
    const y = (value) => HEIGHT - MARGIN.bottom - ((value - low) / (high - low)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
    scale = { left, right, width, x };
    svg.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
    svg.setAttribute('height', HEIGHT);
    for (const { run, curve, path } of series) {
      const points = pointsOf(run, curve);
      path.setAttribute('d', points ? pathOf(points, [left, right], x, y) : '');
    }
    drawAxes(x, y, [left, right], [low, high], width);
    drawPointer();
  }

  function rangeOf(known, left, right) {
    let [low, high] = [Infinity, -Infinity];
    for (const { run, curve } of known) {
      const [xs, ys] = pointsOf(run, curve);
      for (let i = Math.max(0, lastBefore(xs, left - 1)); i < xs.length && xs[i] <= right; i += 1) {
        if (ys[i] !== null) [low, high] = [Math.min(low, ys[i]), Math.max(high, ys[i])];
      }
    }
    if (low > high) return [0, 1];
    const room = (high - low || Math.abs(high) || 1) * 0.06;
    // What lies near zero shows zero.
    return [low >= 0 && low < 0.4 * high ? 0 : low - room, high + room];
  }

  function drawAxes(x, y, [left, right], [low, high], width) {
    axes.replaceChildren();
    for (const value of ticksOf(low, high, 5)) {
      drawn(axes, 'line', { x1: MARGIN.left, x2: width - MARGIN.right, y1: y(value), y2: y(value) });
      drawn(axes, 'text', { x: MARGIN.left - 6, y: y(value) + 3.5, 'text-anchor': 'end' }).textContent = spelled(value, chart.curves[0].unit);
    }
    for (const value of ticksOf(left, right, 4)) {
      const end = x(value) > width - 24 ? 'end' : 'middle';
      drawn(axes, 'text', { x: x(value), y: HEIGHT - 4, 'text-anchor': end }).textContent = spelled(value);
    }
  }

  function drawPointer() {
    const { place } = shared;
    const inside = place !== null && scale && place >= scale.left && place <= scale.right;
    pointer.setAttribute('visibility', inside ? 'visible' : 'hidden');
    if (inside) {
      const x = scale.x(place);
      for (const [name, value] of [['x1', x], ['x2', x], ['y1', MARGIN.top], ['y2', HEIGHT - MARGIN.bottom]]) pointer.setAttribute(name, value);
    }
    chart.curves.forEach((curve, i) => {
      const readings = [0, 1].map((run) => pointsOf(run, curve)).filter(Boolean).map(([xs, ys]) => {
        const index = inside ? lastBefore(xs, place) : xs.length - 1;
        return index < 0 || ys[index] === null ? say('training.curves.no_value') : spelled(ys[index], curve.unit);
      });
      entries[i].entry.hidden = !readings.length;
      entries[i].reading.textContent = readings.join(' | ');
    });
    const read = chart.curves.map((curve, i) => (entries[i].entry.hidden ? '' : {
      say: 'training.curves.reading', label: curve.label, value: entries[i].reading.textContent,
    }));
    const where = inside ? { say: 'training.curves.at', pictures: String(Math.round(place)) } : { say: 'training.curves.now' };
    const all = [chart.title, ...read.filter(Boolean), where];
    svg.setAttribute('aria-label', all.map((each) => say(each)).join(say('list.comma')));
  }

  function placeOf(event) {
    const { left, width } = svg.getBoundingClientRect();
    const share = (event.clientX - left - MARGIN.left) / (width - MARGIN.left - MARGIN.right);
    return scale.left + Math.min(1, Math.max(0, share)) * (scale.right - scale.left);
  }

  function point(place) { shared.place = place; drawAll(); }

  svg.addEventListener('pointerdown', (event) => {
    if (!scale || event.button) return;
    start = { x: event.clientX, place: placeOf(event) };
    if (event.pointerType === 'mouse') svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener('pointermove', (event) => {
    if (!scale) return;
    const place = placeOf(event);
    if (start) {
      const [left, right] = [start.place, place].sort((a, b) => a - b);
      const wide = Math.abs(event.clientX - start.x) >= LEAST_DRAG;
      selection.setAttribute('visibility', wide ? 'visible' : 'hidden');
      for (const [name, value] of [['x', scale.x(left)], ['width', scale.x(right) - scale.x(left)], ['y', MARGIN.top], ['height', HEIGHT - MARGIN.top - MARGIN.bottom]]) selection.setAttribute(name, value);
    }
    point(place);
  });
  svg.addEventListener('pointerup', (event) => {
    selection.setAttribute('visibility', 'hidden');
    const began = start;
    start = null;
    if (!began || Math.abs(event.clientX - began.x) < LEAST_DRAG) return;
    shared.zoom = [began.place, placeOf(event)].sort((a, b) => a - b);
    drawAll();
  });
  svg.addEventListener('pointercancel', () => { start = null; selection.setAttribute('visibility', 'hidden'); });
  svg.addEventListener('pointerleave', () => { if (!start) point(null); });
  svg.addEventListener('dblclick', () => { shared.zoom = null; drawAll(); });
  svg.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === 'Escape') { shared.zoom = null; point(null); }
    if (!step || !scale) return;
    event.preventDefault();
    const by = (step * (scale.right - scale.left)) / 50;
    point(Math.min(scale.right, Math.max(scale.left, (shared.place ?? scale.right) + by)));
  });
  return { draw };
}
