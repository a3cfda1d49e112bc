// The command line behind a box, a line for each of its links.

import { copyButton, el } from './dom.js';
import { visible } from './text.js';

const LINKS = ['cgctl', 'netns', 'unshare-rs', 'pivot'];

/** The words of a command line as a shell would see them, still quoted. */
export function words(text) {
  return text.match(/(?:[^\s'"\\]|\\[\s\S]|'[^']*'|"(?:[^"\\]|\\[\s\S])*")+/g) ?? [];
}

/** The words of each link: a link begins with the path of its program, each program is in it once, in this order. */
export function links(text) {
  const lines = [[]];
  let next = 0;
  for (const word of words(text)) {
    const found = LINKS.indexOf(word.slice(word.lastIndexOf('/') + 1), next);
    if (found >= 0 && word.startsWith('/')) {
      next = found + 1;
      lines.push([]);
    }
    lines.at(-1).push(word);
  }
  return lines.filter((line) => line.length);
}

/** It as it can be read, with a button that copies it as it is. */
export function pipelineOf(text) {
  const shown = el('pre', { class: 'pipeline', tabindex: '0', 'aria-label': 'Pipeline' });
  for (const [first, ...rest] of links(text)) {
    const slash = first.lastIndexOf('/') + 1;
    shown.append(
      el(
        'span',
        { class: 'chain' },
        el('span', { class: 'dir' }, visible(first.slice(0, slash))),
        el('b', {}, visible(first.slice(slash))),
        ` ${rest.map(visible).join(' ')}\n`,
      ),
    );
  }
  return el(
    'div',
    { class: 'shown' },
    shown,
    copyButton('Copy', () => text),
  );
}
