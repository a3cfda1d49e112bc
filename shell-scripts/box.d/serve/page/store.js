// What is known of the boxes. Views subscribe to it, and ask for changes by actions.js.

import { get } from './api.js';

/** How many looks at a box are kept, one a second. */
export const SAMPLES = 60;

const boxes = new Map();
const samples = new Map();
const pending = new Map();
const listeners = new Set();
let told = 0;

/** Calls `listener(what)` after each change: of `boxes`, or of the `stats` of one. */
export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(what, id) {
  for (const listener of listeners) listener(what, id);
}

/** Has the list of boxes been read? */
export let loaded = false;

/** Reads the list of boxes. An answer that was overtaken by a later one is dropped. */
export async function refresh() {
  const asked = ++told;
  const answer = await get('/containers');
  if (asked !== told) return;
  loaded = true;
  for (const id of boxes.keys()) if (!(id in answer)) forget(id);
  for (const box of Object.values(answer)) put(box);
  tell('boxes');
}

// A box that has ended uses nothing: what it used is not that of its next run.
function put(box) {
  boxes.set(box.id, box);
  if (!lives(box)) samples.delete(box.id);
}

function forget(id) {
  boxes.delete(id);
  samples.delete(id);
  pending.delete(id);
}

let timer = null;

/** Reads it soon: of many events at once, the last has it read. */
export function refreshSoon() {
  timer ??= setTimeout(() => {
    timer = null;
    refresh().catch(() => {});
  }, 120);
}

/** Takes what an action has answered. */
export function takeBox(box) {
  told++;
  put(box);
  tell('boxes');
}

export function dropBox(id) {
  told++;
  forget(id);
  tell('boxes');
}

/** Takes a look at what a box uses. */
export function takeStats(stats) {
  const list = samples.get(stats.id) ?? [];
  list.push({ ...stats, time: Date.now() / 1000 });
  if (list.length > SAMPLES) list.shift();
  samples.set(stats.id, list);
  tell('stats', stats.id);
}

/** What is being done to a box, in a word, or null. */
export function setPending(id, word) {
  if (word) pending.set(id, word);
  else pending.delete(id);
  tell('boxes');
}

export const find = (id) => boxes.get(id);
export const statsOf = (id) => samples.get(id) ?? [];
export const pendingOf = (id) => pending.get(id);
export const lives = (box) => box.state === 'Running';
export const nameOf = (box) => box.name ?? box.id.slice(0, 8);

/** All boxes: those that run first, then by time, the latest first. */
export function all() {
  const time = (box) => (lives(box) ? (box.started ?? box.created) : (box.exited ?? box.created)) ?? 0;
  return [...boxes.values()].sort(
    (a, b) => lives(b) - lives(a) || time(b) - time(a) || nameOf(a).localeCompare(nameOf(b)),
  );
}
