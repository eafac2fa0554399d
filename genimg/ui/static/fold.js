// On a phone a part shows its heading only, until somebody asks for the rest; wider screens show all.
// `button` is in the heading, which is the first child of `part`.
function makeFold(button, part) {
  const narrow = window.matchMedia('(max-width: 680px)');
  let open = false;
  function show() {
    const folded = narrow.matches && !open;
    part.classList.toggle('folded', folded);
    button.disabled = !narrow.matches; // a heading like others
    button.ariaExpanded = String(!folded);
  }
  button.addEventListener('click', () => { open = !open; show(); });
  narrow.addEventListener('change', show);
  show();
}
