// What is told besides the views: failures, things done, and the state of the connection.

import { el, mark, part, say } from './dom.js';
import { visible } from './text.js';

/** For screen readers, and nowhere else: it shows in the views. */
export function announce(text) {
  say(part('says'), text);
}

/** An error of the API, with its hint. */
export function explain(error) {
  return el(
    'div',
    { class: 'error' },
    el('strong', {}, visible(error.message)),
    error.hint && el('span', {}, visible(error.hint)),
  );
}

/** Shows a failure until it is closed, or until newer ones push it out. */
export function complain(doing, error) {
  const notice = el(
    'div',
    { class: 'notice', role: 'alert' },
    el('div', {}, el('p', { class: 'doing' }, visible(doing)), explain(error)),
    el(
      'button',
      { type: 'button', class: 'close', 'aria-label': 'Close this message', onclick: () => notice.remove() },
      '✕',
    ),
  );
  const list = part('notices');
  list.append(notice);
  while (list.children.length > 3) list.firstChild.remove();
}

/** Closes the newest failure; false if there is none. */
export function closeNotice() {
  const last = part('notices').lastElementChild;
  last?.remove();
  return Boolean(last);
}

const WORDS = { connecting: 'connecting', live: 'live', lost: 'no connection', refused: 'no token' };

/** Shows the state of the connection: connecting, live, lost or refused. */
export function showLink(state) {
  const link = part('link');
  if (link.dataset.state !== state && state !== 'connecting') announce(WORDS[state]);
  mark(link, 'data-state', state);
  say(link.firstElementChild, WORDS[state]);
  document.body.classList.toggle('stale', state === 'lost');
}

/** Tells that the connection is lost, when it is tried again, and lets that be at once. */
export function showLost(error, seconds, retry) {
  const bar = part('lost');
  bar.replaceChildren(
    el(
      'p',
      {},
      el('strong', {}, 'No connection to box serve.'),
      ` What is shown is what was last heard; containers go on without it. ` +
        `The next try is in ${Math.max(1, Math.round(seconds))} s.`,
    ),
    el('button', { type: 'button', onclick: retry }, 'Try now'),
  );
  bar.hidden = false;
}

export function hideLost() {
  part('lost').hidden = true;
}
