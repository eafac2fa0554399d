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
