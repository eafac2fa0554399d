// Undo, redo and bookmarks of the GAN tab, and its picture to take away. No value.
// Comes after helpers.js. A view is what a link to it says. Each one that has settled is a step;
// "restore" carries the {query} of the one that is to be shown again. Bookmarks are kept in this
// browser only.
const KEY = 'genimg-bookmarks';
const MOST_BOOKMARKS = 24;
const MOST_STEPS = 100;
const SAVED_PIXELS = 512;
const find = (name) => element.querySelector(`[data-do=${name}]`);
const status = element.querySelector('[role=status]');
const list = element.querySelector('.bookmarks');
let steps = []; // of each {query, src, caption: words}
let at = -1;
let ready = window.linkedParts?.has('history') ?? false; // else a link's answer would undo a step
let asked = null; // the query of a view that is on its way
let bookmarks = readBookmarks();

function readBookmarks() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    const isText = (text) => typeof text === 'string';
    const isWords = (words) => isText(words) || isText(words?.say);
    const whole = (one) => isText(one?.query) && isText(one?.src) && isWords(one?.caption);
    return Array.isArray(kept) ? kept.filter(whole).slice(0, MOST_BOOKMARKS) : [];
  } catch { return []; }
}

function keep() {
  try {
    localStorage.setItem(KEY, JSON.stringify(bookmarks));
  } catch { tell('gan.history.not_kept'); }
}

function tell(key) {
  put(status, key);
  setTimeout(() => { if (status.dataset.say === key) put(status, ''); }, 4000);
}

function show() {
  find('undo').disabled = !ready || at < 1;
  find('redo').disabled = !ready || at > steps.length - 2;
  for (const name of ['bookmark', 'save', 'link']) find(name).disabled = !ready || at < 0;
  list.hidden = !bookmarks.length;
  list.replaceChildren(...bookmarks.map(entry));
}

function entry(bookmark) {
  const [item, open, remove] = ['li', 'button', 'button'].map((tag) => document.createElement(tag));
  const image = document.createElement('img');
  open.type = remove.type = 'button';
  open.disabled = !ready;
  if (bookmark.src.startsWith('data:image/png;base64,')) image.src = bookmark.src;
  putOn(image, 'alt', bookmark.caption);
  putOn(open, 'title', bookmark.caption);
  remove.textContent = '×';
  putOn(remove, 'aria-label', 'gan.history.remove', { caption: bookmark.caption });
  open.append(image);
  open.addEventListener('click', () => restore(bookmark.query));
  remove.addEventListener('click', () => {
    bookmarks = bookmarks.filter((one) => one !== bookmark);
    keep();
    show();
    find('bookmark').focus();
  });
  item.append(open, remove);
  return item;
}

function restore(query) {
  asked = query;
  trigger('restore', { query });
}

function settleNow() {
  document.dispatchEvent(new Event('settle-now'));
}

function go(distance) {
  settleNow();
  if (!ready || !steps[at + distance]) return;
  at += distance;
  restore(steps[at].query);
  show();
}

function bookmark() {
  settleNow();
  const { query } = steps[at];
  bookmarks = [steps[at], ...bookmarks.filter((one) => one.query !== query)].slice(0, MOST_BOOKMARKS);
  keep();
  show();
}

async function save() {
  settleNow();
  const image = new Image();
  image.src = steps[at].src;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = Math.ceil(SAVED_PIXELS / image.width) * image.width;
  const context = canvas.getContext('2d');
  context.imageSmoothingEnabled = false; // crisp
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  download(canvas.toDataURL('image/png'), 'picture.png');
}

async function copyLink() {
  settleNow();
  const address = new URL(window.location);
  try {
    await navigator.clipboard.writeText(address.href);
    tell('gan.history.copied');
  } catch { // without https, as in a classroom, a page may not
    tell('gan.history.not_copied');
  }
}

// What has settled is a new step, unless it is the one that was asked for. Until that one is there,
// what was on the screen before may settle, and does not count; unless somebody touches a control.
for (const touch of ['input', 'change', 'click']) {
  document.addEventListener(touch, ({ isTrusted, target }) => {
    if (isTrusted && !element.contains(target)) asked = null;
  }, true);
}
document.addEventListener('settled', ({ detail }) => {
  if (asked !== null && detail.query !== asked) return;
  asked = null;
  if (detail.query === steps[at]?.query) return;
  steps = [...steps.slice(0, at + 1), detail].slice(-MOST_STEPS);
  at = steps.length - 1;
  show();
});
document.addEventListener('keydown', (event) => {
  const typing = document.activeElement?.matches('textarea, [type=text], [type=number]');
  if (event.defaultPrevented || event.target.matches?.('canvas')) return; // a pad's own Undo
  if (!(event.ctrlKey || event.metaKey) || event.altKey || typing || !element.checkVisibility()) return;
  const key = event.key.toLowerCase();
  const distance = key === 'y' || (key === 'z' && event.shiftKey) ? 1 : key === 'z' ? -1 : 0;
  if (!distance) return;
  event.preventDefault();
  go(distance);
});
document.addEventListener('linked', ({ detail }) => {
  if (detail !== 'history') return;
  ready = true;
  show();
});
document.dispatchEvent(new Event('ask-what-settled'));
find('undo').addEventListener('click', () => go(-1));
find('redo').addEventListener('click', () => go(1));
find('bookmark').addEventListener('click', bookmark);
find('save').addEventListener('click', save);
find('link').addEventListener('click', copyLink);
show();
