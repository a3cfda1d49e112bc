// What was run, and how it ended.

import { get } from './api.js';
import { el } from './dom.js';
import { explain } from './notices.js';
import { find, subscribe } from './store.js';
import { ago, clock, endedWell, ending, visible } from './text.js';

const LAST = 300;

/** The history as a view: `node`, and `close()`. */
export function historyView() {
  const list = el('ol', { class: 'past', 'aria-label': 'History, the latest first' });
  const note = el('div', { class: 'blank' }, el('p', {}, 'Asking for the history'));
  const node = el(
    'section',
    { class: 'history', 'aria-label': 'History' },
    el(
      'div',
      { class: 'bar' },
      el('h2', {}, 'History'),
      el('p', { class: 'sums' }, `The last ${LAST} runs and ends; they stay when containers are removed.`),
    ),
    list,
    note,
  );
  let asked = 0;

  async function show() {
    const number = ++asked;
    try {
      const records = await get(`/history?tail=${LAST}`);
      if (number !== asked) return;
      list.replaceChildren(...records.reverse().map(entry));
      note.hidden = records.length > 0;
      if (!records.length)
        note.replaceChildren(el('h2', {}, 'Nothing yet'), el('p', {}, 'What is run from now on is written down here.'));
    } catch (error) {
      if (!list.firstChild) note.replaceChildren(explain(error));
    }
  }
  let timer = null;
  const quit = subscribe((what) => {
    if (what !== 'boxes') return;
    clearTimeout(timer);
    timer = setTimeout(show, 300);
  });
  show();
  return {
    node,
    close() {
      quit();
      clearTimeout(timer);
    },
  };
}

function entry(record) {
  const ran = record.event === 'run';
  const name = visible(record.name || record.id.slice(0, 8));
  return el(
    'li',
    { 'data-state': ran ? 'running' : endedWell(record) ? 'ended' : 'failed' },
    el('time', { datetime: new Date(record.time * 1000).toISOString(), title: clock(record.time) }, ago(record.time)),
    el('span', { class: 'dot', 'aria-hidden': 'true' }),
    find(record.id) ? el('a', { class: 'name', href: `#box/${record.id}` }, name) : el('span', { class: 'name' }, name),
    el('span', { class: 'what' }, ran ? `run from ${visible(record.image)}` : ending(record)),
    el('code', { class: 'command' }, visible(record.command)),
  );
}
