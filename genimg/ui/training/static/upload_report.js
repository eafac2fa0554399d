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
  title.textContent = report.busy ?? report.title;
  classes.textContent = report.classes ?? '';
  counts.textContent = report.counts ?? '';
  ask.hidden = !report.own;
  askAgain(false);
  preview.hidden = !report.preview;
  if (report.preview) preview.src = report.preview;
  refused.hidden = !report.refused_count;
  if (!report.refused_count) return;
  refused.querySelector('summary').textContent = report.refused_count === 1
    ? '1 of the files was not used' : `${report.refused_count} of the files were not used`;
  list.replaceChildren(...report.refused.map(({ file, reason }) => {
    const item = document.createElement('li');
    const name = document.createElement('code');
    name.textContent = file;
    item.append(name, `: ${reason}`);
    return item;
  }));
}

ask.querySelector('.delete').addEventListener('click', () => { askAgain(true); ask.querySelector('.no').focus(); });
ask.querySelector('.no').addEventListener('click', () => askAgain(false));
ask.querySelector('.yes').addEventListener('click', () => trigger('forget', { own: props.value.own }));
show();
watch('value', show);
