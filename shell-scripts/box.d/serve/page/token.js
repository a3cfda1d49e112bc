// Asking for the token.

import { hasToken, setToken } from './api.js';
import { el } from './dom.js';

/** The form for it as a view; `done` is called with the token in place. */
export function tokenView(done) {
  const was = hasToken();
  const input = el('input', {
    id: 'token',
    type: 'password',
    autocomplete: 'off',
    spellcheck: 'false',
    required: true,
    'aria-describedby': 'token-help',
  });
  const node = el(
    'section',
    { class: 'token' },
    el('h2', {}, was ? 'That token is not right' : 'box serve asks for a token'),
    el(
      'p',
      { id: 'token-help' },
      was ? 'It is made anew at each start, unless --token-file names one. ' : '',
      'box serve tells the token when it starts, and keeps it in ',
      el('code', {}, 'api.token'),
      ' in its run directory.',
    ),
    el(
      'form',
      { onsubmit: send },
      el('label', { for: 'token' }, 'Token'),
      input,
      el('button', { class: 'primary' }, 'Go on'),
    ),
  );
  function send(event) {
    event.preventDefault();
    const token = input.value.trim();
    // What no header can hold is no token.
    if (!/^[\x21-\x7e]+$/.test(token)) return;
    setToken(token);
    done();
  }
  return { node, close() {}, focusFirst: () => input.focus() };
}
