// What Gradio's sliders say, in the page's language and with names of one's own.
// A slider belongs to Gradio, which writes the label of a direction in English when the model changes,
// and of every slider what its parts are for. What stands there instead begins from that.
const given = new WeakMap(); // what Gradio wrote, by text or by control
const instead = new WeakMap(); // and what was written here
const PARTS = [
  [/^range slider for (.*)$/s, 'control.range'],
  [/^number input for (.*)$/s, 'control.number'],
  [/^Reset to default value()$/, 'control.reset'],
];

// Writes by `set` what `wordsFor` makes of what Gradio wrote.
function rewrite(holder, text, set, wordsFor) {
  if (text !== instead.get(holder)) given.set(holder, text);
  const wanted = wordsFor(given.get(holder));
  instead.set(holder, wanted);
  if (text !== wanted) set(wanted);
}

// What a control is for; `called` says what a slider is called here.
function partWords(text, called) {
  for (const [pattern, key] of PARTS) {
    const found = text.match(pattern);
    if (found) return say(key, { name: called(found[1]) });
  }
  return text;
}

// labels, infos: words of the sliders "direction-0" and so on; own: a name of one's own for each, or
// null. Only where Gradio wrote what the slider is called in this model does another name stand.
function wordSliders(root, labels, infos, own) {
  const translated = (text, words, name) => {
    const english = say(words, {}, 'en');
    return english && text.includes(english) ? text.replace(english, () => name ?? say(words)) : text;
  };
  for (const control of root.querySelectorAll('input[aria-label], button[aria-label]')) {
    const [, i] = control.closest('[id^=direction-]')?.id.match(/^direction-(\d+)$/) ?? [];
    const called = (name) => (labels[i] ? translated(name, labels[i], own[i]) : name);
    const set = (text) => { control.ariaLabel = text; };
    rewrite(control, control.ariaLabel, set, (text) => partWords(text, called));
  }
  labels.forEach((label, i) => {
    const title = document.getElementById(`direction-${i}`)?.querySelector('[data-testid=block-info]');
    const around = title?.parentElement;
    if (!around) return;
    const walker = document.createTreeWalker(around, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const held = node;
      const [words, name] = title.contains(held) ? [label, own[i]] : [infos[i], null];
      rewrite(held, held.data, (text) => { held.data = text; }, (text) => translated(text, words, name));
    }
  });
}
