// One box: what it is, what it uses, what it writes, and how it was made.

import { actionButton, showAction, VERBS } from './actions.js';
import { get, pathOf } from './api.js';
import { copyButton, el, mark, part, say } from './dom.js';
import { logsOf } from './logs.js';
import { showState, stateOf } from './list.js';
import { explain } from './notices.js';
import { pipelineOf } from './pipeline.js';
import { KINDS, plot, toldNow } from './plots.js';
import { find, lives, nameOf, statsOf, subscribe } from './store.js';
import { bytes, clock, ending, visible } from './text.js';

/** Shows a box in the panel; `close()` takes it away. */
export function openPanel(id) {
  const panel = part('panel');
  const head = headOf(id),
    facts = factsOf(),
    uses = usesOf(),
    logs = logsOf(id);
  const pipeline = el('div', {}, el('p', { class: 'note' }, 'Asking'));
  let run = find(id)?.started;

  panel.replaceChildren(
    head.node,
    el(
      'div',
      { class: 'body' },
      head.acts,
      section('Use', uses.node),
      section('Log', logs.node),
      section('Facts', facts.node),
      section(
        'Pipeline',
        el('p', { class: 'note' }, 'What box run has come down to. It can be pasted into a shell.'),
        pipeline,
      ),
    ),
  );
  panel.hidden = false;
  document.body.classList.add('open');
  head.title.focus();

  function show() {
    const box = find(id);
    if (!box) return void head.gone();
    head.show(box);
    facts.show(box);
    mark(panel, 'data-state', stateOf(box));
    uses.node.parentNode.hidden = !lives(box);
    uses.show(statsOf(id));
    if (box.started !== run) {
      run = box.started;
      logs.again();
      explainBox();
    }
  }
  async function explainBox() {
    try {
      const detail = await get(pathOf(id));
      facts.more(detail);
      pipeline.replaceChildren(pipelineOf(detail.pipeline));
    } catch (error) {
      pipeline.replaceChildren(explain(error));
    }
  }
  const quit = subscribe((what, which) => (what === 'boxes' ? show() : which === id && uses.show(statsOf(id))));
  const timer = setInterval(show, 5000);
  show();
  explainBox();
  return {
    again: logs.again,
    close() {
      quit();
      clearInterval(timer);
      logs.close();
      panel.replaceChildren();
      panel.hidden = true;
      document.body.classList.remove('open');
    },
  };
}

function section(title, ...content) {
  return el('section', {}, el('h3', {}, title), ...content);
}

function headOf(id) {
  const title = el('h2', { id: 'panel-name', tabindex: '-1' });
  const word = el('span', { class: 'word' }),
    when = el('span', { class: 'when' });
  const acts = el(
    'div',
    { class: 'acts', role: 'group', 'aria-label': 'Actions' },
    VERBS.map((verb) => actionButton(verb, id)),
  );
  const node = el(
    'header',
    {},
    el('span', { class: 'dot', 'aria-hidden': 'true' }),
    title,
    el('p', { class: 'state' }, word, when),
    el('a', { class: 'close', href: '#containers', 'aria-label': 'Close', title: 'Close (Escape)' }, '✕'),
  );
  return {
    node,
    acts,
    title,
    show(box) {
      say(title, visible(nameOf(box)));
      showState(box, word, when);
      for (const button of acts.children) showAction(button, box);
    },
    gone() {
      if (!title.textContent) say(title, 'No such container');
      say(word, 'it was removed');
      say(when, '');
      acts.hidden = true;
    },
  };
}

// name, what to tell of a box; nothing is told of what is empty
const FACTS = [
  ['Image', (box) => visible(box.image)],
  ['Command', (box) => el('code', {}, visible(box.command))],
  ['ID', (box) => el('code', {}, box.id)],
  ['Process', (box) => box.pid && `${box.pid}, as this host sees it`],
  ['Made', (box) => box.created && clock(box.created)],
  ['Started', (box) => box.started && clock(box.started)],
  ['Ended', (box) => box.exited && `${clock(box.exited)}: ${ending(box)}`],
  ['Memory ran out', (box) => box.oom > 0 && `${box.oom} of its processes were killed for it`],
  ['Error', (box) => box.error && visible(box.error)],
  ['Directory', (box) => box.workdir && el('code', {}, visible(box.workdir))],
  ['Group', (box) => box.group && el('code', {}, visible(box.group))],
  ['Layers', (box) => box.layers && `${box.layers.length}`],
];

function factsOf() {
  const node = el('dl', { class: 'facts' });
  let known = {},
    told = '';
  function show(box) {
    known = { ...known, ...box };
    const text = JSON.stringify(known);
    if (text === told) return;
    told = text;
    node.replaceChildren(
      ...FACTS.map(([name, fact]) => [name, fact(known)])
        .filter(([, fact]) => fact)
        .flatMap(([name, fact]) => [
          el('dt', {}, name),
          el('dd', {}, fact, name === 'ID' && copyButton('Copy', () => known.id)),
        ]),
    );
  }
  return { node, show, more: show };
}

function usesOf() {
  const plots = Object.keys(KINDS).map((kind) => {
    const drawing = plot(kind),
      label = el('span', { class: 'told' });
    const figure = el('figure', {}, el('figcaption', {}, KINDS[kind].title, label), drawing.node);
    return {
      figure,
      show(samples) {
        drawing.show(samples);
        say(label, toldNow(KINDS[kind], samples.at(-1)));
      },
    };
  });
  const more = el('p', { class: 'more' });
  const node = el(
    'div',
    { class: 'uses waiting' },
    plots.map((one) => one.figure),
    more,
  );
  return {
    node,
    show(samples) {
      node.classList.toggle('waiting', !samples.length);
      if (!samples.length) return void say(more, 'Measuring');
      for (const one of plots) one.show(samples);
      say(more, restOf(samples.at(-1)));
    },
  };
}

function restOf(s) {
  return [
    s.memory === null && 'memory is not counted without a control group',
    `${s.pids ?? '–'}${s.pids_limit ? ` of ${s.pids_limit}` : ''} processes`,
    typeof s.net_received === 'number' && `network ${bytes(s.net_received)} in, ${bytes(s.net_sent)} out`,
    typeof s.io_read === 'number' && `disk ${bytes(s.io_read)} read, ${bytes(s.io_written)} written`,
  ]
    .filter(Boolean)
    .join(' · ');
}
