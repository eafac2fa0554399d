// Which picture the stage shows, for what works on it: the query of the view that settled last.
let stage = '';
document.addEventListener('settled', ({ detail }) => { stage = detail.query; });
document.dispatchEvent(new Event('ask-what-settled'));

function here() {
  document.dispatchEvent(new Event('settle-now')); // what is being changed counts as it is now
  return stage;
}
