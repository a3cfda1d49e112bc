// What `netns map` tells, in the shape in which it is drawn: plain data, without a place.

import { lives, nameOf } from './store.js';

/**
 * The namespace of box serve with its interfaces, the namespaces that are tied to it or hold a box, and how many others
 * there are. Each end of a pair of veth names the other.
 */
export function wiresOf(spaces, boxes) {
  const own = spaces.find((space) => space.own) ?? spaces[0];
  const byPid = new Map(boxes.filter((box) => lives(box) && box.pid).map((box) => [box.pid, box]));
  const boxIn = (space) => space.processes.map(({ pid }) => byPid.get(pid)).find(Boolean);
  const ends = new Map(own.interfaces.filter((end) => end.peer).map((end) => [end.peer.inode, end]));
  const shown = [],
    others = [];
  for (const space of spaces) {
    if (space === own) continue;
    const box = boxIn(space),
      end = ends.get(space.inode);
    if (box || end || space.names.length) shown.push(guest(space, box, end, own));
    else others.push(space);
  }
  shown.sort(
    (a, b) =>
      !a.outside - !b.outside || String(a.bridge).localeCompare(String(b.bridge)) || a.title.localeCompare(b.title),
  );
  return { host: hostOf(own), guests: shown, others: others.length };
}

const outward = (end) => end.name !== 'lo';
// Those of fe80::/10 say nothing that one would look for here.
const told = (addresses) => addresses.filter((address) => !address.startsWith('fe80:'));

function hostOf(own) {
  const ends = own.interfaces.filter((end) => outward(end) && !(end.kind === 'veth' && end.peer));
  return {
    title: own.names[0] ?? 'this host',
    ends: ends.map((end) => ({ name: end.name, kind: end.kind, up: end.up, addresses: told(end.addresses) })),
    listens: own.listens.map(({ address, port, protocol }) => `${socket(address, port)}/${protocol}`),
  };
}

const socket = (address, port) => `${address.includes(':') ? `[${address}]` : address}:${port}`;

function guest(space, box, end, own) {
  const inner = space.interfaces.filter(outward);
  const addresses = inner.flatMap((one) => told(one.addresses).map((address) => address.replace(/\/\d+$/, '')));
  return {
    id: box?.id ?? null,
    title: box ? nameOf(box) : (space.names[0] ?? `namespace ${space.inode}`),
    kind: box ? 'container' : 'namespace',
    addresses,
    inside: inner.map(({ name }) => name),
    outside: end?.name ?? null,
    bridge: end?.bridge ?? null,
    ports: own.publishes
      .filter(({ to }) => addresses.includes(to?.address))
      .map(({ address, port, protocol, to }) => `${socket(address, port)} → ${to.port}/${protocol}`),
  };
}

/** The same as sentences, for who does not see the drawing. */
export function sentences({ host, guests, others }) {
  return [
    ...host.ends.map(
      (end) => `${end.name} of ${host.title}: ${end.addresses.join(', ') || 'no address'}${end.up ? '' : ', down'}`,
    ),
    ...guests.map(
      (one) =>
        `${one.title}: ${one.addresses.join(', ') || 'no address'}; ${
          one.outside
            ? `${one.inside[0]} is tied to ${one.outside}${one.bridge ? ` on ${one.bridge}` : ''}`
            : 'no way out'
        }${one.ports.length ? `; published: ${one.ports.join(', ')}` : ''}`,
    ),
    others ? `Besides these there are ${others} other network namespaces` : '',
  ].filter(Boolean);
}
