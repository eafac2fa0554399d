// Words that Gradio wrote in English into an element that says them already. It patches HTML in place:
// where a new answer has the same words, only the text changes, and no mark by which it would be said.
const patched = { characterData: true, childList: true, attributeFilter: ['alt', 'title', 'aria-label'] };

new MutationObserver((changes) => {
  for (const { type, target, attributeName } of changes) {
    const marked = type === 'characterData' ? target.parentElement : target;
    const mark = attributeName ? `data-say-${attributeName}` : 'data-say';
    const said = marked?.getAttribute(mark);
    if (!said) continue;
    const wanted = say(said.startsWith('{') ? JSON.parse(said) : said);
    const there = attributeName ? marked.getAttribute(attributeName) : marked.textContent;
    if (there !== wanted) marked.setAttribute(mark, said); // whoever watches the marks says it
  }
}).observe(element.closest('[role=tabpanel]'), { subtree: true, ...patched });
