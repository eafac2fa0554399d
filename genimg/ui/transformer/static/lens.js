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
    name.textContent = depth ? `after layer ${depth - 1}` : 'before layer 0';
    map.className = 'map hatched';
    [map.role, map.ariaLabel] = ['img', `Picture ${name.textContent}`];
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

  // `drawing` has the arrays of DrawingHandlers.payload; `query` is the place that is looked at.
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
      const stream = `stream ${at(drawing.stream, depth).toPrecision(3)}`;
      column.numbers.textContent = stream;
      if (!depth) return;
      const [a, f] = [at(attention, depth - 1), at(feedForward, depth - 1)];
      column.attention.style.height = `${(100 * a) / most}%`;
      column.feedForward.style.height = `${(100 * f) / most}%`;
      column.numbers.textContent = `attention ${a.toPrecision(3)}\nfeed-forward ${f.toPrecision(3)}`
        + `\n${stream}`;
    });
    const decided = drawing.decided.data[query];
    const place = `For place ${query} the model's first choice`;
    return decided ? `${place} stays the same after layer ${decided - 1}.`
      : `${place} is there before the first layer: ${query ? 'the token before it' : 'the class'} is enough.`;
  }
  return { paint };
}
