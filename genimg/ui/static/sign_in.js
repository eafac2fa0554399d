// Signs in with Hugging Face, and out. value: {account}, '' for nobody
const note = element.querySelector('p');
const button = element.querySelector('button');

function show() {
  const account = props.value?.account;
  put(note, account ? { say: 'training.sign_in.as', account } : 'training.sign_in.why');
  put(button, account ? 'training.sign_in.out' : 'training.sign_in.button');
}

button.addEventListener('click', () => {
  const route = props.value?.account ? '/logout' : '/login/huggingface';
  const back = encodeURIComponent(`/${window.location.search}`);
  window.location.assign(`${route}?_target_url=${back}`);
});
show();
watch('value', show);
