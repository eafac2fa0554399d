// A drawing made again without parts of its model. value: {request, layers, heads}; request says
// which head of which drawing is looked at. Comes after helpers.js, payload.js and heads.js.
// A change is {layer, head, treatment}, without head for a feed-forward network.
const WORDS = {
  off: 'off: finds nothing',
  uniform: 'looks at everything equally',
  mean: 'looks where it looks on average',
};
const find = (selector) => element.querySelector(selector);
const [list, status, treatment] = ['.changes', '[role=status]', '.treatment'].map(find);
let changes = changesInAddress();
let shown = null; // the drawing that is shown, or is on its way, as text
let asked = 0; // how often the server was asked: only the last answer counts

const sameSpot = (one, other) => one.layer === other.layer && one.head === other.head;

// "0.3.off,5" is head 3 of layer 0 and the feed-forward network of layer 5.
function changesInAddress() {
  const parts = textInAddress('changed').split(',').map((part) => part.split('.'));
  return parts.filter(([layer]) => /^[0-9]{1,3}$/.test(layer)).map(([layer, head, how]) => {
    const place = { layer: Number(layer) };
    if (head === undefined) return place;
    return { ...place, head: Number(head), treatment: how in WORDS ? how : Number(how) };
  });
}

function writeChanges() {
  const spelled = changes.map((one) => [one.layer, one.head, one.treatment]
    .filter((part) => part !== undefined).join('.'));
  writeAddress(['changed'], spelled.length ? { changed: spelled.join(',') } : {});
}

function describe({ layer, head, treatment: how }) {
  if (head === undefined) return `Feed-forward network of layer ${layer}: off`;
  return `Layer ${layer}, head ${head}: ${WORDS[how] ?? `looks where head ${how} looks`}`;
}

function showControls() {
  const { layers, heads, request } = props.value;
  const { layer, head } = request;
  find('.controls').inert = false;
  find('.place').textContent = `${head} of layer ${layer}`;
  find('.add-feed-forward').textContent = `Feed-forward network of layer ${layer}: off`;
  const others = Array.from({ length: heads }, (_, i) => i).filter((other) => other !== head);
  const options = [...Object.keys(WORDS), ...others].map((how) => {
    const words = WORDS[how] ?? `looks where head ${how} of its layer looks`;
    const option = new Option(words, how);
    option.selected = String(how) === treatment.value;
    return option;
  });
  treatment.replaceChildren(...options);
  changes = changes.filter((one) => one.layer < layers && (one.head ?? 0) < heads);
}

function showChanges() {
  list.replaceChildren(...changes.map((change) => {
    const item = document.createElement('li');
    item.append(describe(change));
    const remove = written(item, 'button', '', '×');
    remove.type = 'button';
    remove.ariaLabel = `Undo: ${describe(change)}`;
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
  status.textContent = answer.words;
  find('code').textContent = answer.code;
}

// Has the drawing made again with all changes.
async function run() {
  writeChanges();
  showChanges();
  asked += 1;
  const number = asked;
  if (!changes.length) {
    find('.results').hidden = true;
    [status.textContent, find('code').textContent] = ['', ''];
    return;
  }
  status.textContent = 'Drawing it again ...';
  let answer = { error: 'The server did not answer; try again.' };
  try {
    answer = await server.operate_on({ ...props.value.request, changes });
  } catch { /* the sentence above is shown */ }
  if (number !== asked) return;
  if (answer.error) status.textContent = answer.error;
  else paint(answer);
}

function add(change) {
  changes = [...changes.filter((one) => !sameSpot(one, change)), change];
  run();
}

function show() {
  if (!props.value) return;
  showControls();
  const drawing = JSON.stringify(props.value.request.drawing);
  if (drawing === shown) return;
  shown = drawing;
  run();
}

find('.add-head').addEventListener('click', () => {
  const { layer, head } = props.value.request;
  const how = treatment.value;
  add({ layer, head, treatment: how in WORDS ? how : Number(how) });
});
find('.add-feed-forward').addEventListener('click', () => add({ layer: props.value.request.layer }));
show();
watch('value', show);
