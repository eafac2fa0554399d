// Where a pad's picture comes from besides the hand: a file, a test picture, a button.
async function read(file) {
  try {
    fit(await openPicture(file));
  } catch (error) {
    report(error.message);
  }
}

function fit(bitmap, called = { say: 'pad.caption.upload' }) {
  const { size, channels, lightOnBlack } = props.value;
  const bytes = shrink(bitmap, size, channels, find('.crop input').checked);
  replace(bytes, called);
  original = bitmap;
  find('.crop').hidden = bitmap.width === bitmap.height;
  const light = lightOnBlack && groundOf(bytes, size, channels) > LIGHT_GROUND;
  report(light ? 'pad.light_ground' : '');
}

chooser.addEventListener('change', () => {
  if (chooser.files.length) read(chooser.files[0]);
  chooser.value = ''; // so that the same file can be chosen again
});
find('.crop input').addEventListener('change', () => fit(original, caption));

// --------------------------------------------------------------------------------------- buttons

function choose(name) {
  tool = name;
  for (const button of element.querySelectorAll('[data-tool]')) {
    button.setAttribute('aria-pressed', String(button.dataset.tool === name));
  }
  find('.brush').hidden = name === 'hide';
}

async function pick(wanted) {
  const question = (asked += 1);
  let answer = { error: 'frame.unanswered' };
  try {
    answer = await server.held_out({ checkpoint: props.value.checkpoint, number: wanted });
  } catch { /* the sentence above is shown */ }
  if (question !== asked) return;
  report(answer.error ?? '');
  if (answer.error) return;
  if (!hidden.includes(true)) hideHalf();
  const bytes = Uint8Array.from(atob(answer.pixels), (letter) => letter.charCodeAt(0));
  replace(bytes, answer.caption, answer.number);
}

function save() {
  small.toBlob((file) => {
    const address = URL.createObjectURL(file);
    download(address, 'picture.png');
    URL.revokeObjectURL(address);
  });
}

const ACTIONS = {
  clear: () => {
    report('');
    hideHalf();
    choose('draw'); // an empty picture is there to be drawn upon
    // What has colour is drawn on light paper, what is grey in white on black.
    const paper = new Uint8Array(pixels.length).fill(props.value.channels === 3 ? PAPER : 0);
    replace(paper, { say: 'pad.caption.drawing' });
  },
  undo,
  invert: () => {
    report('');
    replace(pixels.map((byte) => 255 - byte), caption.say === 'pad.caption.inverted'
      ? caption.caption : { say: 'pad.caption.inverted', caption });
  },
  save,
  upload: () => chooser.click(),
  camera: openCamera,
  take: takePicture,
  leave: closeCamera,
  random: () => pick(null),
};
for (const button of element.querySelectorAll('[data-do]')) {
  button.addEventListener('click', ACTIONS[button.dataset.do]);
}
for (const button of element.querySelectorAll('[data-tool]')) {
  button.addEventListener('click', () => { choose(button.dataset.tool); show(); });
}
numberField.addEventListener('change', () => {
  if (numberField.value !== '') pick(Number(numberField.value));
});
rowsField.addEventListener('input', () => {
  const kept = Number(rowsField.value) * props.value.columns;
  hidden = hidden.map((_, i) => i >= kept);
  show();
});
rowsField.addEventListener('change', tell);

load();
watch('value', load);
