// What can be done to a box, when, and how it is asked for.

import { call, pathOf, post } from './api.js';
import { el, mark, say } from './dom.js';
import { announce, complain } from './notices.js';
import { dropBox, find, lives, nameOf, pendingOf, refreshSoon, setPending, takeBox } from './store.js';

const runs = (box) => lives(box) && box.status !== 'paused';
const paused = (box) => lives(box) && box.status === 'paused';
const ended = (box) => !lives(box);

// verb: when it can be asked for, its label, what is told while it is done and afterwards
const ACTIONS = {
  start: { when: ended, label: 'Start', doing: 'starting', done: 'was started' },
  stop: { when: lives, label: 'Stop', doing: 'stopping', done: 'was stopped' },
  unpause: { when: paused, label: 'Unpause', doing: 'unpausing', done: 'goes on' },
  pause: { when: runs, label: 'Pause', doing: 'pausing', done: 'stands still' },
  kill: { when: lives, label: 'Kill', doing: 'killing', done: 'was sent KILL', sure: 'Kill it now?' },
  remove: { when: () => true, label: 'Remove', doing: 'removing', done: 'was removed', sure: 'Remove for good?' },
};

/** The verbs, in the order of their buttons. */
export const VERBS = Object.keys(ACTIONS);

export const allowed = (verb, box) => ACTIONS[verb].when(box);

/** The first thing that one would want to do to it. */
export const firstVerb = (box) => ['unpause', 'start', 'stop'].find((verb) => allowed(verb, box));

async function act(verb, id) {
  const box = find(id);
  if (!box || pendingOf(id)) return;
  setPending(id, ACTIONS[verb].doing);
  try {
    if (verb === 'remove') {
      await call('DELETE', pathOf(id, lives(box) ? '?force=1' : ''));
      dropBox(id);
    } else takeBox(await post(pathOf(id, `/${verb}`)));
    announce(`${nameOf(box)} ${ACTIONS[verb].done}`);
  } catch (error) {
    complain(`Cannot ${verb} ${nameOf(box)}`, error);
  } finally {
    setPending(id, null);
    refreshSoon();
  }
}

/** A button for a verb. What cannot be undone is asked for twice; going away from the button takes back the first. */
export function actionButton(verb, id) {
  const action = ACTIONS[verb];
  const button = el(
    'button',
    {
      type: 'button',
      class: action.sure ? 'danger' : '',
      'data-verb': verb,
      onclick: press,
      onblur: calm,
      onkeydown: escape,
    },
    action.label,
  );
  function press() {
    if (!action.sure || button.dataset.sure) {
      calm();
      act(verb, id);
      return;
    }
    mark(button, 'data-sure', 'asked');
    say(button, action.sure);
    announce(`${action.sure} Press again, or Escape`);
  }
  function calm() {
    button.removeAttribute('data-sure');
    say(button, action.label);
  }
  function escape(event) {
    if (event.key !== 'Escape' || !button.dataset.sure) return;
    event.stopPropagation();
    calm();
  }
  return button;
}

/** Has a button show whether it can be pressed. It keeps the focus, which `disabled` would take away. */
export function showAction(button, box) {
  const busy = Boolean(pendingOf(box.id));
  button.hidden = !allowed(button.dataset.verb, box);
  mark(button, 'aria-disabled', String(busy));
}
