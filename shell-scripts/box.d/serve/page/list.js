// The list of the boxes.

import { actionButton, firstVerb, showAction } from './actions.js';
import { el, mark, say } from './dom.js';
import { KINDS, plot, toldNow } from './plots.js';
import { all, find, lives, loaded, nameOf, pendingOf, statsOf, subscribe } from './store.js';
import { ago, clock, count, endedWell, ending, span, visible } from './text.js';

/** The list as a view: `node`, and `close()`. */
export function listView() {
  const list = el('ul', { class: 'boxes', 'aria-label': 'Containers', onkeydown: walk });
  const filter = el('input', {
    type: 'search',
    id: 'filter',
    placeholder: 'Filter',
    'aria-label': 'Filter by name, image or command',
    'aria-keyshortcuts': '/',
    oninput: show,
  });
  const running = el('input', { type: 'checkbox', onchange: show });
  const sums = el('p', { class: 'sums' });
  const blank = el('div', { class: 'blank' });
  const rows = new Map();
  const node = el(
    'section',
    { class: 'list', 'aria-label': 'Containers' },
    el('div', { class: 'bar' }, sums, el('label', { class: 'tick' }, running, 'running only'), filter),
    el(
      'div',
      { class: 'heads', 'aria-hidden': 'true' },
      ['Container', 'Command', 'Memory', 'CPU', 'Processes', 'State', ''].map((head) => el('span', {}, head)),
    ),
    list,
    blank,
  );

  function show() {
    const boxes = all();
    const wanted = boxes.filter((box) => (!running.checked || lives(box)) && matches(box, filter.value));
    for (const [id, row] of rows) if (!find(id)) rows.delete(id) && row.node.remove();
    wanted.forEach((box, i) => {
      const row = rows.get(box.id) ?? make(box.id);
      row.show(box);
      if (list.children[i] !== row.node) list.insertBefore(row.node, list.children[i] ?? null);
    });
    while (list.children.length > wanted.length) list.lastChild.remove();
    say(sums, sumsOf(boxes));
    showBlank(blank, boxes, wanted);
    node.classList.toggle('empty', wanted.length === 0);
    node.classList.toggle('none', boxes.length === 0);
  }
  function make(id) {
    rows.set(id, row(id));
    return rows.get(id);
  }
  const quit = subscribe((what, id) => (what === 'boxes' ? show() : rows.get(id)?.plot()));
  const timer = setInterval(() => {
    for (const [id, row] of rows) if (find(id)) row.show(find(id));
  }, 5000);
  show();
  return {
    node,
    close() {
      quit();
      clearInterval(timer);
    },
    focus: (id) => rows.get(id)?.link.focus(),
  };
}

const matches = (box, words) =>
  words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => `${box.name} ${box.image} ${box.command} ${box.id} ${box.status}`.toLowerCase().includes(word));

function sumsOf(boxes) {
  if (!loaded) return 'Loading';
  const alive = boxes.filter(lives);
  const paused = alive.filter((box) => box.status === 'paused').length;
  return [`${alive.length - paused} running`, paused && `${paused} paused`, `${boxes.length - alive.length} ended`]
    .filter(Boolean)
    .join(', ');
}

function showBlank(blank, boxes, wanted) {
  blank.hidden = loaded && wanted.length > 0;
  if (blank.hidden) return;
  if (!loaded) blank.replaceChildren(el('p', {}, 'Asking for the containers'));
  else if (boxes.length)
    blank.replaceChildren(el('p', {}, `None of ${count(boxes.length, 'container')} is like that.`));
  else {
    blank.replaceChildren(
      el('h2', {}, 'No containers'),
      el('p', {}, 'One that is run here, or by ', el('code', {}, 'box run'), ' on this machine, shows up at once.'),
      el('a', { class: 'button primary', href: '#run' }, 'Run a container'),
    );
  }
}

// Up and down, as in any list; the first and the last.
function walk(event) {
  const links = [...event.currentTarget.querySelectorAll('a.name')];
  const at = links.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
  if (at < 0 || to === undefined || !links[to]) return;
  event.preventDefault();
  links[to].focus();
}

function row(id) {
  const link = el('a', { class: 'name', href: `#box/${id}` });
  const image = el('span', { class: 'image' }),
    command = el('code', { class: 'command' });
  const cells = { memory: cell('memory'), cpu: cell('cpu') };
  const pids = el('span', { class: 'pids' }),
    end = el('span', { class: 'end' });
  const dot = el('span', { class: 'dot', 'aria-hidden': 'true' });
  const state = el('span', { class: 'word' }),
    when = el('span', { class: 'when' });
  const acts = el('span', { class: 'acts' });
  const node = el(
    'li',
    { class: 'row' },
    el('span', { class: 'who' }, dot, link, image),
    command,
    cells.memory.node,
    cells.cpu.node,
    pids,
    end,
    el('span', { class: 'state' }, state, when),
    acts,
  );

  function show(box) {
    say(link, visible(nameOf(box)));
    say(image, visible(box.image));
    say(command, visible(box.command));
    mark(command, 'title', visible(box.command).slice(0, 500));
    mark(node, 'data-state', stateOf(box));
    showState(box, state, when);
    say(end, lives(box) ? '' : ending(box));
    showFirst(acts, box);
    if (location.hash === link.hash) mark(link, 'aria-current', 'true');
    else link.removeAttribute('aria-current');
    plotAll();
  }
  function plotAll() {
    const samples = statsOf(id),
      last = samples.at(-1);
    for (const kind of Object.keys(cells)) cells[kind].show(samples);
    const limit = last?.pids_limit ? ` of ${last.pids_limit}` : '';
    say(pids, last?.pids === undefined ? '' : `${last.pids ?? '–'}${limit}`);
  }
  return { node, link, show, plot: plotAll };
}

function cell(kind) {
  const { node: drawing, show } = plot(kind),
    label = el('span', { class: 'told' });
  const node = el('span', { class: `use ${kind}`, 'data-label': KINDS[kind].title }, drawing, label);
  return {
    node,
    show(samples) {
      if (samples.length) show(samples);
      node.classList.toggle('waiting', !samples.length);
      say(label, samples.length ? toldNow(KINDS[kind], samples.at(-1)) : '');
    },
  };
}

/** running, paused, failed, ended or created: what the colours follow. */
export function stateOf(box) {
  if (lives(box)) return box.status === 'paused' ? 'paused' : 'running';
  if (box.exited === null && box.status === 'created') return 'created';
  return endedWell(box) ? 'ended' : 'failed';
}

/** The state in a word, and since when. */
export function showState(box, word, when) {
  say(word, pendingOf(box.id) ?? box.status ?? 'removed');
  const time = lives(box) ? box.started : (box.exited ?? box.created);
  say(when, time === null ? '' : lives(box) ? `for ${span(Date.now() / 1000 - time)}` : ago(time));
  if (time !== null) mark(when, 'title', clock(time));
}

function showFirst(acts, box) {
  const verb = firstVerb(box);
  if (acts.firstChild?.dataset.verb !== verb) {
    const focused = acts.contains(document.activeElement);
    acts.replaceChildren(actionButton(verb, box.id));
    if (focused) acts.firstChild.focus();
  }
  mark(acts.firstChild, 'aria-label', `${acts.firstChild.textContent} ${nameOf(box)}`);
  showAction(acts.firstChild, box);
}
