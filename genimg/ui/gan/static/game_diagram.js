// The game as a diagram: its parts, what flows between them, and who learns from which loss.
// makeDiagram(parent, parts, tell) returns {show(lines), light(edges)}:
//   parts: [[name, title, sentence]]; tell(title, sentence) is called for the part that is looked at;
//   lines: {part: [words]}, written below its title, and {"from-to": words} beside an edge;
//   edges: those that are active now, by name.
const DRAWING = 'http://www.w3.org/2000/svg';
// Two layouts, for wide and narrow pages: where each part has its middle, and each edge its corners.
const LAYOUTS = {
  wide: {
    size: [740, 306],
    part: [122, 64],
    places: {
      noise: [62, 44], generator: [214, 44], generated: [366, 44], real: [366, 152],
      discriminator: [524, 98], scores: [676, 98], discriminator_loss: [524, 230], generator_loss: [214, 230],
    },
    edges: {
      'noise-generator': [[123, 44], [153, 44]],
      'generator-generated': [[275, 44], [305, 44]],
      'generated-discriminator': [[427, 44], [445, 44], [445, 86], [463, 86]],
      'real-discriminator': [[427, 152], [445, 152], [445, 110], [463, 110]],
      'discriminator-scores': [[585, 98], [615, 98]],
      'scores-discriminator_loss': [[676, 130], [676, 230], [585, 230]],
      'scores-generator_loss': [[676, 230], [676, 290], [214, 290], [214, 262]],
      'discriminator_loss-discriminator': [[524, 198], [524, 130]],
      'generator_loss-generator': [[214, 198], [214, 76]],
    },
    words: { 'generator_loss-generator': [222, 130], 'discriminator_loss-discriminator': [532, 168] },
  },
  narrow: {
    size: [346, 356],
    part: [104, 62],
    places: {
      noise: [54, 34], generator: [173, 34], generated: [292, 34], real: [173, 144],
      discriminator: [292, 144], scores: [292, 266], discriminator_loss: [173, 266], generator_loss: [54, 266],
    },
    edges: {
      'noise-generator': [[106, 34], [121, 34]],
      'generator-generated': [[225, 34], [240, 34]],
      'generated-discriminator': [[292, 65], [292, 113]],
      'real-discriminator': [[225, 144], [240, 144]],
      'discriminator-scores': [[310, 175], [310, 235]],
      'scores-discriminator_loss': [[240, 266], [225, 266]],
      'scores-generator_loss': [[292, 297], [292, 330], [54, 330], [54, 297]],
      'discriminator_loss-discriminator': [[173, 235], [173, 205], [264, 205], [264, 175]],
      'generator_loss-generator': [[54, 235], [54, 90], [173, 90], [173, 65]],
    },
    words: { 'generator_loss-generator': [60, 108], 'discriminator_loss-discriminator': [180, 220] },
  },
};
const NARROW_PIXELS = 600;

function drawn(parent, tag, attributes = {}, words = '') {
  const made = document.createElementNS(DRAWING, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  put(made, words);
  parent.append(made);
  return made;
}

// Words as an argument of others: a key alone would be taken for a text.
const asWords = (words) => (words.say ? words : { say: words });

// The head of an arrow that ends at the last of these corners.
function headOf(corners) {
  const [[x0, y0], [x, y]] = corners.slice(-2);
  const [dx, dy] = [Math.sign(x - x0), Math.sign(y - y0)];
  const [bx, by] = [x - 7 * dx, y - 7 * dy];
  return `${x},${y} ${bx - 4 * dy},${by + 4 * dx} ${bx + 4 * dy},${by - 4 * dx}`;
}

function makeDiagram(parent, parts, tell) {
  const svg = drawn(parent, 'svg', { role: 'group' });
  putOn(svg, 'aria-label', 'gan.game.diagram');
  let layout = null;
  let lines = {};
  let lit = [];

  function drawEdge(name, corners) {
    const learns = name.includes('_loss-');
    const edge = drawn(svg, 'g', { class: learns ? 'edge learns' : 'edge', 'data-edge': name });
    drawn(edge, 'polyline', { points: corners.map((corner) => corner.join()).join(' ') });
    drawn(edge, 'polygon', { points: headOf(corners) });
    const place = layout.words[name];
    if (place) drawn(edge, 'text', { x: place[0], y: place[1] }, lines[name] ?? '');
  }

  function drawPart([name, title, sentence]) {
    const [[x, y], [width, height]] = [layout.places[name], layout.part];
    const part = drawn(svg, 'g', { class: 'part', 'data-part': name, tabindex: 0, role: 'img' });
    const said = lines[name] ?? [];
    putOn(part, 'aria-label', 'gan.game.part_alt', { title, lines: said.map(asWords), about: sentence });
    drawn(part, 'rect', { x: x - width / 2, y: y - height / 2, width, height, rx: 8 });
    [title, ...(lines[name] ?? [])].forEach((text, i) => {
      drawn(part, 'text', { x, y: y - height / 2 + 20 + 16 * i, class: i ? '' : 'title' }, text);
    });
    for (const event of ['pointerenter', 'focus']) part.addEventListener(event, () => tell(title, sentence));
  }

  function light() {
    for (const edge of svg.querySelectorAll('.edge')) {
      edge.classList.toggle('active', lit.includes(edge.dataset.edge));
    }
  }

  function draw() {
    const focused = svg.querySelector('.part:focus')?.dataset.part;
    const width = parent.clientWidth < NARROW_PIXELS ? 'narrow' : 'wide';
    layout = LAYOUTS[width];
    svg.setAttribute('class', width);
    svg.setAttribute('viewBox', `0 0 ${layout.size.join(' ')}`);
    svg.replaceChildren();
    for (const [name, corners] of Object.entries(layout.edges)) drawEdge(name, corners);
    parts.forEach(drawPart);
    light();
    svg.querySelector(`[data-part="${focused}"]`)?.focus();
  }

  new ResizeObserver(() => { if (parent.clientWidth) draw(); }).observe(parent);
  draw();
  return {
    show(now) { lines = now; draw(); },
    light(edges) { lit = edges; light(); },
  };
}
