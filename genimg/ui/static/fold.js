// On a phone a part shows its heading only, until somebody asks for the rest; wider screens show all
// but those that are to be folded there, too (`always`).
// `button` is in the heading, which is the first child of `part`.
function makeFold(button, part, always = false) {
  const narrow = window.matchMedia('(max-width: 680px)');
  let open = false;
  function show() {
    const folds = always || narrow.matches;
    const folded = folds && !open;
    part.classList.toggle('folded', folded);
    button.disabled = !folds; // a heading like others
    button.ariaExpanded = String(!folded);
  }
  button.addEventListener('click', () => { open = !open; show(); });
  narrow.addEventListener('change', show);
  show();
}
