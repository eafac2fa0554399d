// The heading of a part of the page, which is folded on a phone; a part of class "quiet" is folded
// everywhere. value: its words.
// Comes after fold.js.
const button = element.querySelector('button');
put(button, props.value);
const part = element.closest('.foldable');
if (part) makeFold(button, part, part.classList.contains('quiet'));
