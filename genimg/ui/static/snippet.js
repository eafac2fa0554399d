// Code with a button that copies it. value: the text
// The modern clipboard needs https or localhost; a class room's http://192.168.x.x has neither,
// so there the text is selected and copied the old way.
const code = element.querySelector('code');
const button = element.querySelector('button');

async function copy() {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(code.textContent);
  } else {
    window.getSelection().selectAllChildren(code);
    document.execCommand('copy');
  }
  button.textContent = 'Copied';
  setTimeout(() => { button.textContent = 'Copy'; }, 1500);
}

function show() { code.textContent = props.value ?? ''; }

button.addEventListener('click', copy);
show();
watch('value', show);
