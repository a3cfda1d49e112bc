// The form that runs a container.

import { get, post } from './api.js';
import { el } from './dom.js';
import { announce, explain } from './notices.js';
import { nameOf, takeBox } from './store.js';
import { visible } from './text.js';

// name, label, more: attributes of the input, and what is told below it
const FIELDS = [
  [
    'command',
    'Command',
    { placeholder: 'the one of the image', class: 'mono' },
    'Split into words as a shell does; no shell is run.',
  ],
  ['name', 'Name', { placeholder: 'chosen for you', pattern: '[A-Za-z0-9][A-Za-z0-9_.\\-]*', maxlength: 64 }],
  [
    'memory',
    'Memory',
    { placeholder: 'no limit', pattern: '[1-9][0-9]{0,8}[KMGT]?', title: 'A number of bytes, or of K, M, G or T: 64M' },
    'As in 64M',
  ],
  ['cpus', 'CPUs', { placeholder: 'no limit', type: 'number', step: 'any', min: 0.01, max: 1024 }, 'As in 0.5'],
  ['pids', 'Processes', { placeholder: '2048', type: 'number', min: 1, max: 4194304 }, 'At most'],
  [
    'ports',
    'Ports',
    { placeholder: '8080:80', class: 'mono' },
    '[ADDRESS:]PORT:PORT[/udp], with blanks between them; on 127.0.0.1 without an address.',
  ],
  [
    'net',
    'Network',
    { placeholder: 'box', pattern: '[A-Za-z0-9][A-Za-z0-9_.\\-]*', maxlength: 64, list: 'nets' },
    'A network of netns, or none',
  ],
];

// The width of each: a row of the form has six parts.
const WIDE = { command: 6, name: 3, net: 3, memory: 2, cpus: 2, pids: 2, ports: 6 };

/** Opens the form. It goes to the new box, or to `away` when it is closed. */
export async function openRun(away) {
  const image = el('select', { id: 'run-image', required: true });
  const env = el('textarea', {
    id: 'run-env',
    rows: 2,
    class: 'mono',
    spellcheck: 'false',
    placeholder: 'NAME=value',
    'aria-describedby': 'run-env-help',
  });
  const remove = el('input', { type: 'checkbox' }),
    readOnly = el('input', { type: 'checkbox' });
  const inputs = new Map(
    FIELDS.map(([name, , more]) => [
      name,
      el('input', {
        id: `run-${name}`,
        autocomplete: 'off',
        spellcheck: 'false',
        'aria-describedby': `run-${name}-help`,
        ...more,
      }),
    ]),
  );
  const failure = el('div', { role: 'alert' });
  const go = el('button', { class: 'primary' }, 'Run');
  const fieldOf = ([name, label, , help]) => field(`run-${name}`, label, inputs.get(name), help, WIDE[name]);
  const [command, name, memory, cpus, pids, ports, net] = FIELDS.map(fieldOf);
  const form = el(
    'form',
    { onsubmit: send },
    el(
      'header',
      {},
      el('h2', { id: 'run-title' }, 'Run a container'),
      el('button', { type: 'button', class: 'close', 'aria-label': 'Close', onclick: () => dialog.close() }, '✕'),
    ),
    el(
      'div',
      { class: 'fields' },
      field('run-image', 'Image', image, null, 6),
      command,
      name,
      net,
      memory,
      cpus,
      pids,
      ports,
      field('run-env', 'Environment', env, 'A variable on each line', 6),
      el('label', { class: 'tick' }, remove, 'remove it when it has ended'),
      el('label', { class: 'tick' }, readOnly, 'its root cannot be changed'),
      el('datalist', { id: 'nets' }, el('option', { value: 'box' }), el('option', { value: 'none' })),
    ),
    failure,
    el('footer', {}, el('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'), go),
  );
  const dialog = el('dialog', { class: 'run', 'aria-labelledby': 'run-title', onclose: leave }, form);
  let made = null;

  async function send(event) {
    event.preventDefault();
    if (go.getAttribute('aria-disabled') === 'true') return;
    go.setAttribute('aria-disabled', 'true');
    failure.replaceChildren();
    try {
      made = await post('/run', bodyOf({ image, env, remove, readOnly, inputs }));
      takeBox(made);
      announce(`${nameOf(made)} was run`);
      dialog.close();
    } catch (error) {
      failure.replaceChildren(explain(error));
    }
    go.removeAttribute('aria-disabled');
  }
  function leave() {
    dialog.remove();
    away(made);
  }

  document.body.append(dialog);
  dialog.showModal();
  await fillImages(image, failure, go);
  image.focus();
  return dialog;
}

function field(id, label, input, help, width) {
  return el(
    'p',
    { class: `field wide-${width}` },
    el('label', { for: id }, label),
    input,
    el('small', { id: `${id}-help` }, help ?? ''),
  );
}

async function fillImages(select, failure, go) {
  try {
    const images = await get('/images');
    select.replaceChildren(...images.map(({ name }) => el('option', { value: name }, visible(name))));
    if (images.length) return;
    go.setAttribute('aria-disabled', 'true');
    failure.replaceChildren(
      explain({ message: 'There is no image yet', hint: 'box import BusyBox makes one, box pull brings others' }),
    );
  } catch (error) {
    failure.replaceChildren(explain(error));
  }
}

// What was left empty is not sent, so that box chooses.
function bodyOf({ image, env, remove, readOnly, inputs }) {
  const said = (name) => inputs.get(name).value.trim();
  const body = { state: 'run', image: image.value };
  for (const name of ['command', 'name', 'memory', 'net']) if (said(name)) body[name] = said(name);
  for (const name of ['cpus', 'pids']) if (said(name)) body[name] = Number(said(name));
  if (said('ports'))
    body.ports = said('ports')
      .split(/[\s,]+/)
      .filter(Boolean);
  if (env.value.trim()) body.env = variables(env.value);
  if (remove.checked) body.remove = true;
  if (readOnly.checked) body.read_only = true;
  return body;
}

// Without a prototype, so that a variable may have any name.
function variables(text) {
  const env = Object.create(null);
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    if (line.trim()) env[(at < 0 ? line : line.slice(0, at)).trim()] = at < 0 ? '' : line.slice(at + 1);
  }
  return env;
}
