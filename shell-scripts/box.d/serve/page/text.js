// Numbers, times and states in words, and text of unknown origin made fit to be looked at.

const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
// ECMA-48: control sequences, and strings up to their end; a lone ESC with what it changes.
const SEQUENCE = /\u001b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\u0007\u001b\n]*(?:\u0007|\u001b\\)|[ -/]*[0-~])/g;

const BEGUN = /^\u001b(?:\[[0-?]*[ -/]*|[\]PX^_][^\u0007\u001b\n]*|[ -/]*)$/;

/** Control characters, and those that turn text around, made visible. */
export function visible(text) {
  return String(text).replace(UNSEEN, (c) => {
    const code = c.codePointAt(0).toString(16);
    return code.length > 2 ? `\\u{${code}}` : `\\x${code.padStart(2, '0')}`;
  });
}

/** What a program wrote for a terminal, without its colours and cursor movements. */
export function plain(text) {
  return visible(text.replace(SEQUENCE, '').replace(/\r+\n/g, '\n').replace(/\r/g, '\n'));
}

/** How much of it can be shown: not a control sequence that has only begun. */
export function shownLength(text) {
  const at = text.lastIndexOf('\u001b');
  return at >= 0 && text.length - at < 256 && BEGUN.test(text.slice(at)) ? at : text.length;
}

/** A number of bytes, in powers of 1024. */
export function bytes(count) {
  if (count === null || count === undefined) return '–';
  let value = count,
    unit = 0;
  for (; value >= 1024 && unit < 4; unit++) value /= 1024;
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][unit]}`;
}

/** A share of one processor: 100 is all of it. */
export function percent(value) {
  if (value === null || value === undefined) return '–';
  return `${value < 10 ? value.toFixed(1) : Math.round(value)}%`;
}

/** A time span in seconds, rounded to what matters. */
export function span(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  const days = Math.floor(s / 86400);
  return days === 1 ? '1 day' : `${days} days`;
}

/** How long ago a time in seconds since 1970 was. */
export function ago(time) {
  const seconds = Date.now() / 1000 - time;
  return seconds < 2 ? 'just now' : `${span(seconds)} ago`;
}

/** That time as date and time of day. */
export function clock(time) {
  return new Date(time * 1000).toLocaleString([], { dateStyle: 'medium', timeStyle: 'medium' });
}

const SIGNALS = {
  1: 'HUP',
  2: 'INT',
  3: 'QUIT',
  4: 'ILL',
  5: 'TRAP',
  6: 'ABRT',
  7: 'BUS',
  8: 'FPE',
  9: 'KILL',
  10: 'USR1',
  11: 'SEGV',
  12: 'USR2',
  13: 'PIPE',
  14: 'ALRM',
  15: 'TERM',
  24: 'XCPU',
  25: 'XFSZ',
  31: 'SYS',
};

const OWN = { 125: 'could not be set up', 126: 'its command cannot be run', 127: 'its command was not found' };

/** How a box ended, by its status. */
export function ending({ code, oom }) {
  if (oom > 0) return `out of memory, status ${code ?? 'unknown'}`;
  if (code === null || code === undefined) return 'ended, status unknown';
  if (code === 0) return 'ended well';
  if (OWN[code]) return `${OWN[code]} (${code})`;
  if (SIGNALS[code - 128]) return `ended by SIG${SIGNALS[code - 128]} (${code})`;
  return `failed with status ${code}`;
}

/** Not by a failure: by itself, or because somebody wanted it to. */
export function endedWell({ code, oom }) {
  return !(oom > 0) && [0, null, 129, 130, 137, 143].includes(code ?? null);
}

/** One or many of something. */
export function count(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}
