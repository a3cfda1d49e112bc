// The network as a drawing: this host with its interfaces, and the namespaces behind its bridges.

import { get } from './api.js';
import { el, svg } from './dom.js';
import { explain } from './notices.js';
import { all, subscribe } from './store.js';
import { count, visible } from './text.js';
import { sentences, wiresOf } from './wires.js';

const LINE = 18,
  PAD = 12,
  GAP = 16,
  TITLE = 26,
  TRUNK = 22;
/** Below this width the namespaces are drawn under the host, not beside it. */
const NARROW = 680;

/** The map as a view: `node`, and `close()`. */
export function mapView() {
  const drawing = el('div', { class: 'drawing' }),
    apart = el('div', { class: 'apart' });
  const list = el('ul', { class: 'unseen', 'aria-label': 'The same in words' });
  const note = el('p', { class: 'sums' }, 'Asking netns map');
  const node = el(
    'section',
    { class: 'network', 'aria-label': 'Network' },
    el('div', { class: 'bar' }, el('h2', {}, 'Network'), note),
    drawing,
    apart,
    list,
  );
  let wires = null,
    asked = 0,
    timer = null;

  async function read() {
    const number = ++asked;
    try {
      const spaces = await get('/map');
      if (number !== asked) return;
      wires = wiresOf(spaces, all());
      show();
    } catch (error) {
      if (!wires) note.replaceChildren(explain(error));
    }
  }
  function show() {
    if (!wires) return;
    drawing.replaceChildren(
      draw({ ...wires, guests: wires.guests.filter((guest) => guest.outside) }, Math.max(260, drawing.clientWidth)),
    );
    showApart(
      apart,
      wires.guests.filter((guest) => !guest.outside),
    );
    list.replaceChildren(...sentences(wires).map((sentence) => el('li', {}, visible(sentence))));
    note.replaceChildren(summary(wires));
  }
  const sizes = new ResizeObserver(show);
  sizes.observe(drawing);
  const quit = subscribe((what) => {
    if (what !== 'boxes') return;
    clearTimeout(timer);
    timer = setTimeout(read, 400);
  });
  read();
  return {
    node,
    close() {
      quit();
      sizes.disconnect();
      clearTimeout(timer);
    },
  };
}

function summary({ guests, others }) {
  const tied = guests.filter((guest) => guest.outside).length;
  const held = tied ? `${count(tied, 'namespace')} tied to this host` : 'No container is tied to this host now';
  return `${held}${others ? `; ${count(others, 'other')} on this machine that are no container's, not drawn` : ''}.`;
}

// Those that have nothing but lo need no drawing.
function showApart(node, guests) {
  node.hidden = !guests.length;
  node.replaceChildren(
    el('h3', {}, `Without a network: ${guests.length}`),
    el(
      'ul',
      {},
      guests.map((guest) =>
        el(
          'li',
          {},
          guest.id ? el('a', { class: 'name', href: `#box/${guest.id}` }, visible(guest.title)) : visible(guest.title),
        ),
      ),
    ),
  );
}

// Top to bottom, everything has its height by its lines; wires go from a bridge to what hangs on it.
function draw(wires, width) {
  const narrow = width < NARROW;
  const hostWidth = narrow ? width - 2 : Math.min(360, width * 0.4);
  const host = drawHost(wires.host, hostWidth);
  const x = narrow ? 30 : hostWidth + Math.min(110, width * 0.12);
  const columns = narrow || width - x < 520 || wires.guests.length < 4 ? 1 : 2;
  const step = (width - x + TRUNK * 2) / columns;
  const guestWidth = Math.min(420, step - TRUNK * 2 - 2);
  const root = svg('svg', { width, class: 'map', role: 'img', 'aria-label': 'Map of the network' });
  const lines = svg('g', { class: 'wires' });
  root.append(host.node, lines);
  let top = narrow ? host.height + GAP * 2 : columns > 1 ? GAP : 1,
    rowHeight = 0;
  wires.guests.forEach((guest, i) => {
    const column = i % columns;
    if (column === 0 && i > 0) {
      top += rowHeight + GAP;
      rowHeight = 0;
    }
    const at = { x: x + column * Math.min(step, 420 + TRUNK * 2), y: top };
    const drawn = drawGuest(guest, guestWidth, at);
    rowHeight = Math.max(rowHeight, drawn.height);
    root.append(drawn.node);
    lines.append(wire(host.ports.get(guest.bridge) ?? host.ports.get(null), at, { narrow, hostWidth, x, column }));
  });
  root.setAttribute('height', Math.max(host.height, top + rowHeight) + 2);
  return root;
}

function drawHost(host, width) {
  const node = svg('g', { class: 'host' }),
    ports = new Map([[null, TITLE]]);
  let y = TITLE + PAD;
  const box = svg('rect', { x: 1, y: 1, width: width - 1, rx: 6 });
  node.append(box, label(PAD, TITLE - 4, host.title, 'title', width - PAD * 2));
  for (const end of host.ends) {
    const height = PAD + LINE * (1 + end.addresses.length);
    node.append(
      svg('rect', {
        x: PAD,
        y,
        width: width - PAD * 2,
        height,
        rx: 4,
        class: end.kind === 'bridge' ? 'bridge' : 'end',
      }),
    );
    node.append(
      label(
        PAD * 2,
        y + LINE,
        `${end.name}${end.kind ? `  ${end.kind}` : ''}${end.up ? '' : '  down'}`,
        'name',
        width - PAD * 4,
      ),
    );
    end.addresses.forEach((address, i) =>
      node.append(label(PAD * 2, y + LINE * (i + 2) - 1, address, 'address', width - PAD * 4)),
    );
    ports.set(end.name, y + height / 2);
    y += height + 8;
  }
  if (host.listens.length) {
    const shown = host.listens.slice(0, 6);
    if (shown.length < host.listens.length) shown.push(`and ${host.listens.length - shown.length} more`);
    node.append(label(PAD, y + LINE - 4, 'listens at', 'kind', width - PAD * 2));
    shown.forEach((line, i) => node.append(label(PAD, y + LINE * (i + 2) - 4, line, 'address', width - PAD * 2)));
    y += LINE * (shown.length + 1);
  }
  box.setAttribute('height', y + 8);
  return { node, ports, height: y + 10 };
}

function drawGuest(guest, width, { x, y }) {
  const lines = [
    ...guest.addresses.map((address) => [address, 'address']),
    ...guest.ports.map((port) => [port, 'port']),
    [`${guest.inside[0]} – ${guest.outside}`, 'kind'],
  ];
  const height = TITLE + LINE * lines.length + 6;
  const group = svg(
    'g',
    { class: `guest ${guest.kind}`, transform: `translate(${x} ${y})` },
    svg('rect', { width, height, rx: 6 }),
    label(PAD, TITLE - 7, guest.title, 'title', width - PAD * 2),
    lines.map(([text, kind], i) => label(PAD, TITLE + LINE * (i + 1) - 5, text, kind, width - PAD * 2)),
  );
  const node = guest.id ? svg('a', { href: `#box/${guest.id}`, 'aria-label': guest.title }, group) : group;
  return { node, height };
}

// About as much as fits: letters of the drawing are at most this wide.
function label(x, y, text, kind, width) {
  const most = Math.max(4, Math.floor(width / (kind === 'title' ? 9 : 7.4))),
    shown = visible(text);
  return svg('text', { x, y, class: kind }, shown.length > most ? `${shown.slice(0, most - 1)}…` : shown);
}

// From its bridge to a trunk, along that, and to the title of the namespace; to the second column between two rows.
function wire(from, to, { narrow, hostWidth, x, column }) {
  const y = to.y + TITLE / 2;
  if (narrow) return svg('path', { d: `M${PAD} ${from}H${PAD / 2}V${y}H${to.x}` });
  const start = `M${hostWidth - PAD} ${from}H${x - TRUNK}`;
  return svg('path', {
    d: column === 0 ? `${start}V${y}H${to.x}` : `${start}V${to.y - GAP / 2}H${to.x - TRUNK}V${y}H${to.x}`,
  });
}
