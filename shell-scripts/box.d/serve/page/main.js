// What the page is made of, and which view is shown.

import { onRefused, takeToken } from './api.js';
import { part } from './dom.js';
import { historyView } from './history.js';
import { listView } from './list.js';
import { Feed } from './live.js';
import { mapView } from './map.js';
import { closeNotice, complain, hideLost, showLink, showLost } from './notices.js';
import { openPanel } from './panel.js';
import { openRun } from './run.js';
import { refresh, refreshSoon, takeStats } from './store.js';
import { tokenView } from './token.js';

const VIEWS = { containers: listView, network: mapView, history: historyView };
/** Seconds between looks at the list: a box that nobody writes about is seen all the same. */
const LOOK = 15;

let view = null,
  shown = null,
  panel = null,
  opened = null,
  form = null,
  refused = false;

const news = new Feed('/events', { take: refreshSoon, opened: connected, lost });
const stats = new Feed('/stats', { take: takeStats });

function connected() {
  showLink('live');
  hideLost();
  refresh().catch((error) => complain('Cannot list the containers', error));
}

function lost(error, seconds) {
  if (refused) return;
  showLink('lost');
  showLost(error, seconds, () => {
    news.retry();
    stats.retry();
  });
}

function show(name) {
  if (shown === name) return;
  view?.close();
  shown = name;
  view = VIEWS[name]();
  part('main').replaceChildren(view.node);
}

// #containers, #network, #history, #box/ID and #run: so that back, forward and links do what they do elsewhere.
function route() {
  if (refused) return;
  const [name, id] = location.hash.slice(1).split('/');
  if (name in VIEWS) show(name);
  else if (!shown) show('containers');
  showBox(name === 'box' ? id : null);
  if (name === 'run' && !form) form = openRun(afterRun);
  for (const link of document.querySelectorAll('nav a')) {
    if (link.hash === `#${shown}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

function showBox(id) {
  if (opened === id) return;
  const before = opened;
  panel?.close();
  panel = null;
  opened = id;
  if (id) panel = openPanel(id);
  else if (before) view.focus?.(before);
  for (const link of document.querySelectorAll('a.name')) {
    if (id && link.hash === `#box/${id}`) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
  }
}

function afterRun(box) {
  form = null;
  location.hash = box ? `box/${box.id}` : shown;
}

function askForToken() {
  if (refused) return;
  refused = true;
  news.stop();
  stats.stop();
  showLink('refused');
  hideLost();
  view?.close();
  showBox(null);
  view = tokenView(start);
  shown = null;
  part('main').replaceChildren(view.node);
  part('run').hidden = true;
  view.focusFirst();
}

function start() {
  refused = false;
  view = null;
  showLink('connecting');
  part('run').hidden = false;
  route();
  news.start();
  stats.start();
}

function keys(event) {
  if (
    event.defaultPrevented ||
    event.ctrlKey ||
    event.altKey ||
    event.metaKey ||
    document.querySelector('dialog[open]')
  )
    return;
  const typing = event.target.matches('input, textarea, select');
  if (event.key === 'Escape' && !(typing && event.target.value)) closeNotice() || (opened && (location.hash = shown));
  else if (!typing && !refused && event.key === 'n') location.hash = 'run';
  else if (!typing && event.key === '/' && part('filter')) part('filter').focus();
  else if (event.key === 'ArrowDown' && leadsToList(event.target)) firstBox().focus();
  else return;
  event.preventDefault();
}

// In the list itself the arrows are its own affair.
function leadsToList(node) {
  return firstBox() && (node === document.body || node === part('filter'));
}

function firstBox() {
  return document.querySelector('.boxes a.name');
}

onRefused(askForToken);
part('run').addEventListener('click', () => {
  location.hash = 'run';
});
addEventListener('hashchange', () => {
  takeToken();
  if (refused && !location.hash) start();
  else route();
});
addEventListener('keydown', keys);
setInterval(() => document.hidden || refused || refresh().catch(() => {}), LOOK * 1000);
takeToken();
start();
