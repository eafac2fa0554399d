// What each depth of the model would already have drawn, and what each layer adds to its stream.
// Comes after payload.js and heads.js.

// A column for each depth, the first before any layer: picture, chance of the token, two bars.
function makeLens(target, layers, onChoose) {
  const depths = Array.from({ length: layers + 1 }, (_, depth) => {
    const column = document.createElement('div');
    const [name, map, chance] = ['span', 'div', 'b'].map((tag) => document.createElement(tag));
    const [canvas, marker, bars] = ['canvas', 'div', 'div'].map((tag) => document.createElement(tag));
    const [attention, feedForward] = [document.createElement('i'), document.createElement('u')];
    const numbers = document.createElement('span');
    const layer = depth - 1;
    put(name, depth ? 'transformer.lens.after' : 'transformer.lens.before', { layer });
    map.className = 'map hatched';
    map.role = 'img';
    const picture = depth ? 'transformer.lens.picture_after' : 'transformer.lens.picture_before';
    putOn(map, 'aria-label', picture, { layer });
    bars.ariaHidden = 'true'; // the numbers below say the same
    numbers.className = 'sums';
    marker.className = 'marker';
    bars.className = 'added';
    map.append(canvas, marker);
    bars.append(attention, feedForward);
    column.append(name, map, chance, bars, numbers);
    map.addEventListener('click', onChoose);
    target.append(column);
    return { map, canvas, marker, chance, bars, numbers, attention, feedForward };
  });

  // Returns words on when the place `query`, that is looked at, was decided; `drawing` has the arrays
  // of DrawingHandlers.payload.
  function paint(drawing, query, drawn) {
    const { lens, lens_probabilities: chances, added_attention: attention } = drawing;
    const feedForward = drawing.added_feed_forward;
    const at = (array, depth) => itemOf(array, depth)[query];
    const most = Math.max(...[attention, feedForward].flatMap((array) => (
      Array.from({ length: layers }, (_, layer) => at(array, layer)))));
    depths.forEach((column, depth) => {
      const { layout } = drawing;
      paintPixels(column.canvas, itemOf(lens, depth), lens.shape.slice(1), layout, drawn);
      markPatch(column.marker, query, layout);
      column.chance.textContent = percent(at(chances, depth));
      column.bars.hidden = depth === 0;
      const stream = at(drawing.stream, depth).toPrecision(3);
      if (!depth) {
        put(column.numbers, 'transformer.lens.stream', { stream });
        return;
      }
      const [a, f] = [at(attention, depth - 1), at(feedForward, depth - 1)];
      column.attention.style.height = `${(100 * a) / most}%`;
      column.feedForward.style.height = `${(100 * f) / most}%`;
      const sums = { attention: a.toPrecision(3), feed_forward: f.toPrecision(3), stream };
      put(column.numbers, 'transformer.lens.sums', sums);
    });
    const decided = drawing.decided.data[query];
    const token = `${query}`;
    if (decided) return { say: 'transformer.lens.decided', token, layer: decided - 1 };
    return { say: query ? 'transformer.lens.decided_by_token' : 'transformer.lens.decided_by_class', token };
  }
  return { paint };
}
