// The page's name, the switch of its language, and its terms. value: what is said of the machine.
const find = (selector) => element.querySelector(selector);
const [host, terms, ask, list] = ['.host', '.terms', '.ask-terms', 'dl'].map(find);
const buttons = element.querySelectorAll('.languages button');

function show() {
  document.title = say('frame.page');
  for (const button of buttons) button.ariaPressed = String(button.value === pageLanguage());
  if (terms.open) showTerms();
}

// Each term in both languages, the page's first, with one sentence.
function showTerms() {
  const other = pageLanguage() === 'zh' ? 'en' : 'zh';
  list.replaceChildren();
  for (const name of termNames()) {
    const term = document.createElement('dt');
    const [word, twin] = [document.createElement('b'), document.createElement('span')];
    put(word, `term.${name}`);
    [twin.lang, twin.textContent] = [other === 'zh' ? 'zh-CN' : 'en', say(`term.${name}`, {}, other)];
    term.append(word, ' ', twin);
    const meaning = document.createElement('dd');
    put(meaning, `term.${name}.means`);
    list.append(term, meaning);
  }
}

for (const button of buttons) button.addEventListener('click', () => changeLanguage(button.value));
ask.addEventListener('click', () => {
  terms.showModal();
  showTerms();
});
document.addEventListener('reworded', show);
watch('value', () => put(host, props.value));
put(host, props.value);
show();
