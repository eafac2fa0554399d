// What each head was measured to do, as a table: the card's, or nothing. Comes after heads.js.
const COLUMNS = ['effect', 'distance', 'entropy', 'class_share'];

// `part` is a <details>; a row's button has `onChoose` called with its layer and head.
function makeHeadTable(part, { table: rows, drawings }, onChoose) {
  const [body, headings] = [part.querySelector('tbody'), part.querySelector('thead tr')];
  put(part.querySelector('p'), 'transformer.table.about', { drawings });
  const lines = rows.map((row) => {
    const line = document.createElement('tr');
    const button = written(written(line, 'th'), 'button');
    put(button, 'transformer.place', { layer: row.layer, head: row.head });
    button.type = 'button';
    button.addEventListener('click', () => onChoose(row.layer, row.head));
    for (const name of COLUMNS) written(line, 'td', '', threeDigits(row[name]));
    return { row, line };
  });

  function sort(chosen) {
    lines.sort((one, other) => other.row[chosen] - one.row[chosen]);
    body.replaceChildren(...lines.map(({ line }) => line));
    COLUMNS.forEach((name, i) => {
      headings.children[i + 1].ariaSort = name === chosen ? 'descending' : 'none';
    });
  }

  const titles = COLUMNS.map((name) => {
    const heading = document.createElement('th');
    const button = written(heading, 'button');
    button.type = 'button';
    put(button, `transformer.table.${name}`);
    putOn(button, 'title', `transformer.table.sort.${name}`);
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
