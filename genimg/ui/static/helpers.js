// What several components call: addresses, files, the clipboard and elements.

// The address holds what is on the screen, so that a reload shows it again, and a link to others.
// Returns nothing; replaces the entries called `names` by those of `query`, a text or an object.
function writeAddress(names, query) {
  const address = new URL(window.location);
  for (const name of names) address.searchParams.delete(name);
  for (const [name, text] of new URLSearchParams(query)) address.searchParams.set(name, text);
  if (address.href !== window.location.href) {
    window.history.replaceState(window.history.state, '', address);
  }
}

// What the address gives for `name`; '' without it.
const textInAddress = (name) => new URL(window.location).searchParams.get(name) ?? '';

// The whole number that the address gives for `name`, if it is one below `count`; else `otherwise`.
function numberInAddress(name, count, otherwise) {
  const text = textInAddress(name);
  return /^[0-9]{1,6}$/.test(text) && Number(text) < count ? Number(text) : otherwise;
}

// Has the browser save what is at `address` as a file called `name`.
function download(address, name) {
  const link = document.createElement('a');
  [link.href, link.download] = [address, name];
  link.click();
}

// Asks the server for a file ({src, name} or {error}) and has it saved; `status` says how it goes.
async function downloadFrom(ask, status, words) {
  put(status, words);
  let file = { error: 'frame.unanswered' };
  try {
    file = await ask();
  } catch { /* the sentence above is shown */ }
  put(status, file.error ?? '');
  if (!file.error) download(file.src, file.name);
}

// Copies the text of `node`, and says so on `button` for a moment.
// The modern clipboard needs https or localhost; a classroom's http://192.168.x.x has neither,
// so there the text is selected and copied the old way.
async function copyText(node, button) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(node.textContent);
  } else {
    window.getSelection().selectAllChildren(node);
    document.execCommand('copy');
  }
  put(button, 'frame.copied');
  setTimeout(() => put(button, 'frame.copy'), 1500);
}

// Adds an element with a text to `parent`; returns it.
function written(parent, tag, className = '', text = '') {
  const made = document.createElement(tag);
  [made.className, made.textContent] = [className, text];
  parent.append(made);
  return made;
}
