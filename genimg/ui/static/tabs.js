// Keeps the open tab in the address. value: {tab}, which came with the link, once it is open.
// Comes after helpers.js. Nothing is written before, or a reload would forget where it was.
let watching = null;
let chosen = false; // whether the visitor was quicker

// The innermost one: the Transformer tab has tabs in it.
function remember() {
  const open = Array.from(document.querySelectorAll('[role=tab][aria-selected=true]'))
    .filter((tab) => tab.checkVisibility()).pop();
  if (open) writeAddress(['tab'], { tab: open.dataset.tabId });
}

watch('value', () => {
  if (watching) return;
  watching = new MutationObserver(() => requestAnimationFrame(remember));
  watching.observe(document.body, { subtree: true, attributeFilter: ['aria-selected'] });
  if (chosen) requestAnimationFrame(remember);
});
document.addEventListener('click', ({ target }) => {
  chosen ||= Boolean(target.closest?.('[role=tab]'));
});
