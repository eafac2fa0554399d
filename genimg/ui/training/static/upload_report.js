// What became of uploaded pictures; see training/own_data.py. File names are strangers' words: text only.
// value: null, {busy} or {title, classes, counts, preview, refused: [{file, reason}], refused_count, own}
// With `own`, the value of a data set, its pictures can be deleted.
const title = element.querySelector('h3');
const classes = element.querySelector('.classes');
const counts = element.querySelector('.counts');
const preview = element.querySelector('img');
const refused = element.querySelector('details');
const list = element.querySelector('ul');
const ask = element.querySelector('.ask');

function askAgain(sure) {
  ask.querySelector('.delete').hidden = sure;
  ask.querySelectorAll('p, .yes, .no').forEach((node) => { node.hidden = !sure; });
}

function show() {
  const report = props.value;
  element.hidden = !report;
  if (!report) return;
  put(title, report.busy ?? report.title);
  put(classes, report.classes ?? '');
  put(counts, report.counts ?? '');
  ask.hidden = !report.own;
  askAgain(false);
  preview.hidden = !report.preview;
  if (report.preview) preview.src = report.preview;
  refused.hidden = !report.refused_count;
  if (!report.refused_count) return;
  put(refused.querySelector('summary'), 'training.upload.refused', { count: report.refused_count });
  list.replaceChildren(...report.refused.map(({ file, reason }) => {
    const item = document.createElement('li');
    const name = document.createElement('code');
    name.textContent = file;
    const why = document.createElement('span');
    put(why, 'training.upload.reason', { reason });
    item.append(name, why);
    return item;
  }));
}

ask.querySelector('.delete').addEventListener('click', () => { askAgain(true); ask.querySelector('.no').focus(); });
ask.querySelector('.no').addEventListener('click', () => askAgain(false));
ask.querySelector('.yes').addEventListener('click', () => trigger('forget', { own: props.value.own }));
show();
watch('value', show);
