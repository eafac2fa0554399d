// The words of the page in both languages, and which one the reader wants. Comes in the page's head,
// before Gradio's scripts: what it defines here, every script of the page can call.
//
// Words are a key of the catalogs (genimg/ui/texts) with arguments, or {say: key, ...arguments} as
// the server sends them; what is no key is shown as it is. An argument is a number, a text, words,
// {percent: share}, {compact: a large number} or a list. An element keeps its words in `data-say` (those of an attribute in
// `data-say-title` and so on), as a key or as JSON, and a switch of language says them again.
(() => {
  const LOCALES = { en: 'en', zh: 'zh-CN' }; // 'zh' would leave Gradio's own words English
  const KEPT = 'genimg-language';
  const ATTRIBUTES = ['aria-label', 'title', 'placeholder', 'alt'];
  const MARKS = ['data-say', ...ATTRIBUTES.map((name) => `data-say-${name}`)];
  const TOASTS = ['error', 'warning', 'info', 'success'];
  const MARKED = MARKS.map((mark) => `[${mark}]`).join();
  const catalogs = window.gradio_config.i18n_translations ?? {};
  const wordsIn = (language) => catalogs[LOCALES[language]] ?? {};

  let language = wanted();
  const rules = new Intl.PluralRules('en'); // Chinese has one form

  function wanted() {
    let kept = null;
    try {
      kept = localStorage.getItem(KEPT);
    } catch { /* a private window keeps nothing */ }
    const preferred = navigator.languages.map((name) => name.slice(0, 2).toLowerCase());
    const asked = [new URL(window.location).searchParams.get('lang'), kept, ...preferred];
    return asked.find((name) => Object.hasOwn(LOCALES, name ?? '')) ?? 'en';
  }

  // Returns the words in `inLanguage`, by default the page's.
  window.say = (words, given = {}, inLanguage = language) => {
    const { say: key, english, ...all } = words?.say ? words : { say: words, ...given };
    const other = inLanguage === 'en' ? undefined : wordsIn(inLanguage)[key];
    if (other === undefined && english !== undefined) return english; // it has its arguments
    let template = other ?? wordsIn('en')[key] ?? String(key ?? '');
    if (typeof template === 'object') template = template[rules.select(all.count)] ?? template.other;
    return template.replace(/( ?)\{(\w+)\}( ?)/g, (whole, before, name, after, at) => {
      if (!Object.hasOwn(all, name)) return whole;
      const value = written(all[name], inLanguage);
      const next = template[at + whole.length];
      return gap(template[at - 1], before, value[0]) + value + gap(value.at(-1), after, next);
    });
  };

  // Chinese is parted from Latin letters and numbers, whatever an argument turns out to be.
  function gap(left = '', written, right = '') {
    const chinese = [left, right].map((letter) => /[\u4e00-\u9fff]/.test(letter));
    if (chinese[0] && chinese[1]) return '';
    return chinese.includes(true) && /[A-Za-z0-9]/.test(left + right) ? ' ' : written;
  }

  function written(value, inLanguage) {
    if (typeof value === 'number') return new Intl.NumberFormat(LOCALES[inLanguage]).format(value);
    if (Array.isArray(value)) {
      return value.map((each) => written(each, inLanguage)).join(window.say('list.comma', {}, inLanguage));
    }
    if (typeof value !== 'object' || value === null) return String(value ?? '');
    if ('say' in value) return window.say(value, {}, inLanguage);
    if ('compact' in value) return compact(value.compact, inLanguage);
    return window.say('number.percent', { number: inPercent(value.percent) }, inLanguage);
  }

  function compact(number, inLanguage) {
    const options = { notation: 'compact', compactDisplay: 'long', maximumFractionDigits: 1 };
    const text = new Intl.NumberFormat(LOCALES[inLanguage], options).format(number);
    return text.replace(/(\d)([\u4e00-\u9fff])/, '$1 $2');
  }

  // What is too small to be written so says that it is smaller.
  function inPercent(share) {
    const number = 100 * share;
    if (number === 0) return '0';
    if (number < 0.01) return '<0.01';
    if (number >= 99.95) return number === 100 ? '100' : '>99.9';
    return number.toFixed(number < 10 ? 2 : 1);
  }
  window.percent = (share) => written({ percent: share }, language);

  // Have an element, or an attribute of it, say words from now on; '' says nothing.
  window.put = (element, words, given = {}) => mark(element, 'data-say', words, given);
  window.putOn = (element, attribute, words, given = {}) => (
    mark(element, `data-say-${attribute}`, words, given));

  function mark(element, name, words, given) {
    const { say: key, english, ...all } = words?.say ? words : { say: words, ...given };
    const plain = english === undefined && !Object.hasOwn(wordsIn('en'), key);
    if (plain) {
      element.removeAttribute(name);
      show(element, name, String(key ?? ''));
    } else {
      const said = { say: key, ...all, ...(english === undefined ? {} : { english }) };
      element.setAttribute(name, Object.keys(said).length > 1 ? JSON.stringify(said) : key);
      show(element, name, window.say(said));
    }
  }

  function show(element, name, text) {
    if (name === 'data-say') {
      if (element.textContent !== text) element.textContent = text;
      return;
    }
    const attribute = name.slice('data-say-'.length);
    if (element.getAttribute(attribute) !== text) element.setAttribute(attribute, text);
  }

  // Says again what `element` is marked with under a name; nothing happens where it has no such mark.
  function sayAgain(element, name) {
    const said = element?.getAttribute(name);
    if (said) show(element, name, window.say(said.startsWith('{') ? JSON.parse(said) : said));
  }

  function reword(root) {
    for (const tab of root.querySelectorAll('[role=tab][data-tab-id]')) {
      rename(tab, `tab.${tab.dataset.tabId}`);
    }
    for (const title of root.querySelectorAll('.toast-title-row > span')) {
      const kind = TOASTS.find((name) => title.closest(`.toast-body.${name}`));
      rename(title, `toast.${kind}`);
    }
    if (root !== document) sayControl(root);
    root.querySelectorAll('input[aria-label], button[aria-label]').forEach(sayControl);
    const inside = root.querySelectorAll(MARKED);
    for (const element of root.matches?.(MARKED) ? [root, ...inside] : inside) {
      for (const name of MARKS) sayAgain(element, name);
    }
  }

  // Gradio words a tab that was never open, and the title of a message, only once. It keeps the node
  // of the text, which has to stay.
  function rename(element, key) {
    const text = Array.from(element.childNodes).find((node) => node.nodeType === Node.TEXT_NODE);
    if (text && Object.hasOwn(wordsIn('en'), key)) text.data = window.say(key);
  }

  // Gradio's own controls say what they are for in English alone. Sliders whose names may be one's own
  // have gan/static/slider_words.js.
  const CONTROLS = [
    [/^range slider for (.*)$/s, 'control.range'],
    [/^number input for (.*)$/s, 'control.number'],
    [/^Reset to default value()$/, 'control.reset'],
    [/^Close()$/, 'frame.close'],
  ];
  const controls = new WeakMap(); // what Gradio wrote, and what was said instead

  function sayControl(element) {
    if (!element.matches('input, button') || element.closest('[id^=direction-]')) return;
    if (element.hasAttribute('data-say-aria-label')) return;
    const { wrote, said } = controls.get(element) ?? {};
    const original = element.ariaLabel === said ? wrote : element.ariaLabel ?? '';
    for (const [pattern, key] of CONTROLS) {
      const found = original.match(pattern);
      if (!found) continue;
      const words = window.say(key, { name: found[1] });
      controls.set(element, { wrote: original, said: words });
      if (element.ariaLabel !== words) element.ariaLabel = words;
    }
  }

  // Gradio's messages keep no other attribute.
  function adopt(root) {
    for (const element of root.querySelectorAll('.said[label]')) {
      element.dataset.say = element.getAttribute('label');
      element.removeAttribute('label');
    }
  }

  // Gradio patches HTML in place: where a new answer has the words that are there, it writes their
  // English over them and leaves the mark as it is.
  new MutationObserver((changes) => {
    for (const { type, target, attributeName, addedNodes } of changes) {
      if (type === 'characterData') sayAgain(target.parentElement, 'data-say');
      else if (type === 'childList') sayAgain(target.nodeType === Node.ELEMENT_NODE ? target : null, 'data-say');
      else if (MARKS.includes(attributeName)) sayAgain(target, attributeName);
      else {
        sayAgain(target, `data-say-${attributeName}`);
        if (attributeName === 'aria-label') sayControl(target);
      }
      for (const node of addedNodes) {
        if (node.nodeType !== Node.ELEMENT_NODE || !node.isConnected) continue;
        adopt(node);
        reword(node);
      }
    }
  }).observe(document, {
    subtree: true, childList: true, characterData: true, attributeFilter: [...MARKS, ...ATTRIBUTES],
  });

  // Gradio's labels follow; where it hides how, they do at the next visit.
  async function tellGradio() {
    const core = performance.getEntriesByType('resource').map((entry) => entry.name)
      .find((name) => /\/assets\/core-[\w-]+\.js$/.test(name));
    try {
      (await import(core)).changeLocale(LOCALES[language]);
    } catch (error) {
      console.warn('Gradio keeps its language until the page is opened again:', error);
    }
  }

  function begin() {
    const root = document.documentElement;
    root.lang = LOCALES[language];
    // For what a style sheet writes.
    root.style.setProperty('--said-drawing', JSON.stringify(window.say('frame.drawing')));
  }

  window.pageLanguage = () => language;
  window.termNames = () => Object.keys(wordsIn('en'))
    .filter((key) => /^term\.[\w-]+$/.test(key)).map((key) => key.slice('term.'.length));

  // Shows the page in "en" or "zh", and remembers it; work goes on. Scripts that draw words into a
  // canvas listen to "reworded".
  window.changeLanguage = (to) => {
    language = to;
    try {
      localStorage.setItem(KEPT, to);
    } catch { /* a private window keeps nothing */ }
    const address = new URL(window.location);
    address.searchParams.set('lang', to);
    window.history.replaceState(window.history.state, '', address);
    begin();
    reword(document);
    document.dispatchEvent(new Event('reworded'));
    return tellGradio();
  };

  // Gradio asks the browser once, when it starts.
  Object.defineProperty(navigator, 'language', { value: LOCALES[language], configurable: true });
  begin();
})();
