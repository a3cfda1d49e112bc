// What a box writes, as it comes. It may be anything, and any amount of it.

import { pathOf, stream } from './api.js';
import { el, say } from './dom.js';
import { explain } from './notices.js';
import { bytes, plain, shownLength } from './text.js';

/** The most characters that are kept, and the most in one node. */
const MOST = 1 << 18,
  PIECE = 1 << 13;
const LINES = 500;

/** The log of a box: `node`, and `close()`. */
export function logsOf(id) {
  const text = el('pre', { class: 'log', tabindex: '0', 'aria-label': 'Log' });
  const note = el('p', { class: 'note', role: 'status' }, 'Reading');
  const follow = el('input', { type: 'checkbox', checked: true, onchange: () => follow.checked && toEnd() });
  const node = el(
    'div',
    { class: 'logs' },
    el('div', { class: 'bar' }, note, el('label', { class: 'tick' }, follow, 'stay at the end')),
    text,
  );
  let controller = null,
    came = '',
    frame = 0,
    kept = 0,
    dropped = 0;

  const toEnd = () => {
    text.scrollTop = text.scrollHeight;
  };
  // Who scrolls up wants to read there.
  text.addEventListener('scroll', () => {
    follow.checked = text.scrollTop + text.clientHeight >= text.scrollHeight - 8;
  });

  // Once for each frame, however often something comes; of what is too much in between, the end.
  function take(piece) {
    came += piece;
    if (came.length > MOST) {
      dropped += came.length - MOST;
      came = came.slice(-MOST);
    }
    frame ||= requestAnimationFrame(put);
  }
  function put() {
    frame = 0;
    const ready = came.slice(0, shownLength(came));
    came = came.slice(ready.length);
    const atEnd = follow.checked;
    for (let i = 0; i < ready.length; i += PIECE) text.append(plain(ready.slice(i, i + PIECE)));
    kept += ready.length;
    trim();
    if (atEnd) toEnd();
    say(note, told());
  }
  function trim() {
    while (kept > MOST && text.childNodes.length > 1) {
      const { length } = text.firstChild.data;
      kept -= length;
      dropped += length;
      text.firstChild.remove();
    }
  }
  const told = () =>
    dropped ? `${bytes(dropped)} before this not shown` : text.firstChild ? '' : 'Nothing written yet';

  async function read() {
    controller = new AbortController();
    text.replaceChildren();
    kept = dropped = 0;
    came = '';
    const { signal } = controller;
    try {
      await stream(pathOf(id, `/logs?follow=1&tail=${LINES}`), { signal, opened: () => say(note, told()), take });
      if (!signal.aborted && !text.firstChild && !came) say(note, 'It has written nothing');
    } catch (error) {
      if (!signal.aborted) note.replaceChildren(explain(error));
    }
  }
  function close() {
    controller?.abort();
    cancelAnimationFrame(frame);
    frame = 0;
  }
  read();
  return {
    node,
    close,
    again() {
      close();
      read();
    },
  };
}
