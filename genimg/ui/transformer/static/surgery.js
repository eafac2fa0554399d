// A drawing made again without parts of its model. No value: the drawing tells by "looked-at" that
// window.lookedAt has changed, {request, layers, heads}; request says which head of which drawing
// is looked at. Comes after helpers.js, payload.js and heads.js.
// A change is {layer, head, treatment}, without head for a feed-forward network.
const TREATMENTS = ['off', 'uniform', 'mean'];
const find = (selector) => element.querySelector(selector);
const [list, status, treatment] = ['.changes', '[role=status]', '.treatment'].map(find);
const known = (how) => TREATMENTS.includes(how);
let changes = changesInAddress();
let shown = null; // the drawing that is shown, or is on its way, as text
let running = false; // the server is asked one thing at a time
let waiting = false; // something has changed since it was asked

const sameSpot = (one, other) => one.layer === other.layer && one.head === other.head;

// "0.3.off,5" is head 3 of layer 0 and the feed-forward network of layer 5.
function changesInAddress() {
  const parts = textInAddress('changed').split(',').map((part) => part.split('.'));
  return parts.filter(([layer]) => /^[0-9]{1,3}$/.test(layer)).map(([layer, head, how]) => {
    const place = { layer: Number(layer) };
    if (head === undefined) return place;
    return { ...place, head: Number(head), treatment: known(how) ? how : Number(how) };
  });
}

function writeChanges() {
  const spelled = changes.map((one) => [one.layer, one.head, one.treatment]
    .filter((part) => part !== undefined).join('.'));
  writeAddress(['changed'], spelled.length ? { changed: spelled.join(',') } : {});
}

function describe({ layer, head, treatment: how }) {
  if (head === undefined) return { say: 'transformer.surgery.feed_forward', layer };
  const done = known(how) ? { say: `transformer.surgery.treatment.${how}` }
    : { say: 'transformer.surgery.treatment.other', head: how };
  return { say: 'transformer.surgery.treated', layer, head, treatment: done };
}

function showControls() {
  const { layers, heads, request } = window.lookedAt;
  const { layer, head } = request;
  find('.controls').inert = false;
  put(find('.place'), 'transformer.surgery.head', { layer, head });
  put(find('.add-feed-forward'), 'transformer.surgery.feed_forward', { layer });
  const others = Array.from({ length: heads }, (_, i) => i).filter((other) => other !== head);
  const options = [...TREATMENTS, ...others].map((how) => {
    const option = new Option('', how);
    if (known(how)) put(option, `transformer.surgery.treatment.${how}`);
    else put(option, 'transformer.surgery.treatment.other_of_layer', { head: how });
    option.selected = String(how) === treatment.value;
    return option;
  });
  treatment.replaceChildren(...options);
  changes = changes.filter(({ layer: at, head: which = 0, treatment: how = 0 }) => (
    at < layers && which < heads && (known(how) || how < heads)));
}

function showChanges() {
  list.replaceChildren(...changes.map((change) => {
    const item = document.createElement('li');
    put(written(item, 'span'), describe(change));
    const remove = written(item, 'button', '', '×');
    remove.type = 'button';
    putOn(remove, 'aria-label', 'transformer.surgery.undo', { change: describe(change) });
    remove.addEventListener('click', () => {
      changes = changes.filter((one) => one !== change);
      find('.add-head').focus();
      run();
    });
    return item;
  }));
}

function paint(answer) {
  const { before, after, change, colors } = unpack(answer);
  const layout = { ...answer.layout, special: [] };
  for (const [name, picture] of Object.entries({ before, after })) {
    paintPixels(find(`.${name} canvas`), picture.data, picture.shape, layout);
  }
  const high = Math.max(...change.data.map(Math.abs)) || 1;
  const shares = change.data.map((x) => (1 + x / high) / 2);
  paintCells(find('.change canvas'), shares, layout, 1, colors.data);
  find('.results').hidden = false;
  put(status, answer.words);
  find('code').textContent = answer.code;
}

// Has the drawing made again with all changes.
async function run() {
  writeChanges();
  showChanges();
  waiting = running;
  if (running) return;
  if (!changes.length) {
    clear('');
    return;
  }
  running = true;
  put(status, 'transformer.surgery.drawing');
  let answer = { error: 'frame.unanswered' };
  try {
    answer = await server.operate_on({ ...window.lookedAt.request, changes });
  } catch { /* the sentence above is shown */ }
  running = false;
  if (waiting) run();
  else if (answer.error) clear(answer.error);
  else paint(answer);
}

// What was there belongs to other changes.
function clear(words) {
  find('.results').hidden = true;
  put(status, words);
  find('code').textContent = '';
}

function add(change) {
  changes = [...changes.filter((one) => !sameSpot(one, change)), change];
  run();
}

function show() {
  if (!window.lookedAt) return;
  showControls();
  const drawing = JSON.stringify(window.lookedAt.request.drawing);
  if (drawing === shown) return;
  shown = drawing;
  run();
}

find('.add-head').addEventListener('click', () => {
  const { layer, head } = window.lookedAt.request;
  const how = treatment.value;
  add({ layer, head, treatment: known(how) ? how : Number(how) });
});
find('.add-feed-forward').addEventListener('click', () => add({ layer: window.lookedAt.request.layer }));
document.addEventListener('looked-at', show);
show();
