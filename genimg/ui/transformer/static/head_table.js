// What each head was measured to do, as a table: the card's, or nothing. Comes after heads.js.
const COLUMNS = [
  ['effect', 'effect', 'by how many nats per token drawings become less likely without the head'],
  ['distance', 'distance', 'how far away the patches are that it looks at, in patches'],
  ['entropy', 'entropy', 'of its attention, in nats'],
  ['class_share', 'class', 'share of its attention on the class token'],
];

// `part` is a <details>; a row's button has `onChoose` called with its layer and head.
function makeHeadTable(part, { table: rows, drawings }, onChoose) {
  const [body, headings] = [part.querySelector('tbody'), part.querySelector('thead tr')];
  part.querySelector('.drawings').textContent = drawings.toLocaleString('en');
  const lines = rows.map((row) => {
    const line = document.createElement('tr');
    const button = written(written(line, 'th'), 'button', '', `Layer ${row.layer}, head ${row.head}`);
    button.type = 'button';
    button.addEventListener('click', () => onChoose(row.layer, row.head));
    for (const [name] of COLUMNS) written(line, 'td', '', threeDigits(row[name]));
    return { row, line };
  });

  function sort(chosen) {
    lines.sort((one, other) => other.row[chosen] - one.row[chosen]);
    body.replaceChildren(...lines.map(({ line }) => line));
    COLUMNS.forEach(([name], i) => {
      headings.children[i + 1].ariaSort = name === chosen ? 'descending' : 'none';
    });
  }

  const titles = COLUMNS.map(([name, words, meaning]) => {
    const heading = document.createElement('th');
    const button = written(heading, 'button', '', words);
    [button.type, button.title] = ['button', `Sort by it: ${meaning}`];
    button.addEventListener('click', () => sort(name));
    return heading;
  });
  headings.replaceChildren(document.createElement('td'), ...titles);
  sort('effect');

  function choose(layer, head) {
    for (const { row, line } of lines) {
      line.classList.toggle('chosen', row.layer === layer && row.head === head);
    }
  }
  return { choose };
}
