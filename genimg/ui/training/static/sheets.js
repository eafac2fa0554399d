// Watch it learn: the sample sheets of a run, from the first to the newest; and as a GIF.
// Comes after helpers.js.
const KEPT = 200; // sheets in the browser's memory

// Returns {show(run, sheets)}; `root` holds the elements of the template, `server` the functions.
function makeSheets(root, server) {
  const image = root.querySelector('img');
  const slider = root.querySelector('input');
  const output = root.querySelector('output');
  const playButton = root.querySelector('.play');
  const saveButton = root.querySelector('.save-gif');
  const status = root.querySelector('[role=status]');
  const cache = new Map();
  let [run, sheets, wanted, playing] = [null, [], null, null];

  async function fetchSheet(id, seen) {
    const key = `${id}/${seen}`;
    if (!cache.has(key)) {
      const { src } = await server.sheet({ run: id, seen });
      if (!src) return null;
      if (cache.size >= KEPT) cache.delete(cache.keys().next().value);
      cache.set(key, src);
    }
    return cache.get(key);
  }

  async function look(index) {
    const seen = sheets[index];
    wanted = seen;
    slider.value = index;
    put(output, 'training.sheets.seen', { pictures: seen });
    let src = null;
    try { src = await fetchSheet(run, seen); } catch { return; }
    if (src && wanted === seen) { // the newest wish wins
      image.src = src;
      putOn(image, 'alt', 'training.sheets.picture', { pictures: seen });
      if (sheets[index + 1] !== undefined) fetchSheet(run, sheets[index + 1]).catch(() => {});
    }
  }

  function stop() {
    clearInterval(playing);
    playing = null;
    put(playButton, 'training.sheets.play');
  }

  function play() {
    let index = Number(slider.value) >= sheets.length - 1 ? -1 : Number(slider.value);
    put(playButton, 'training.sheets.stop');
    playing = setInterval(() => {
      index += 1;
      if (index >= sheets.length) stop();
      else look(index);
    }, 220);
  }

  const save = () => downloadFrom(() => server.film({ run }), status, 'training.sheets.making');

  slider.addEventListener('input', () => { stop(); look(Number(slider.value)); });
  playButton.addEventListener('click', () => (playing === null ? play() : stop()));
  saveButton.addEventListener('click', save);
  return {
    show(id, list) {
      const other = id !== run;
      // Whoever looks at the newest one goes on looking at the newest one.
      const follows = other || Number(slider.value) >= sheets.length - 1;
      if (other) { stop(); put(status, ''); image.removeAttribute('src'); wanted = null; }
      const grew = list.length !== sheets.length || other;
      [run, sheets] = [id, list];
      root.hidden = !list.length;
      if (!list.length || !grew) return;
      slider.max = list.length - 1;
      playButton.disabled = saveButton.disabled = list.length < 2;
      if (follows && playing === null) look(list.length - 1);
    },
  };
}
