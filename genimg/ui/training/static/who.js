// Who is asking. value: {nickname, token, has_token}
// The nickname stays in this browser; the token only until the browser tab is closed.
const nickname = element.querySelector('.nickname');
const token = element.querySelector('.token');
const KEY = 'genimg-nickname';

function remembered(store, key) {
  try { return store().getItem(key) ?? ''; } catch { return ''; } // some browsers forbid it
}

function remember(store, key, text) {
  try { store().setItem(key, text); } catch { /* then it is asked again next time */ }
}

function tell() {
  props.value = { ...props.value, nickname: nickname.value.trim(), token: token.value };
}

nickname.value = remembered(() => localStorage, KEY) || (props.value?.nickname ?? '');
token.value = remembered(() => sessionStorage, `${KEY}-token`);
token.closest('details').hidden = !props.value?.has_token;
nickname.addEventListener('input', () => { remember(() => localStorage, KEY, nickname.value); tell(); });
token.addEventListener('input', () => { remember(() => sessionStorage, `${KEY}-token`, token.value); tell(); });
tell();
