// Server-sent events, kept up. By fetch: EventSource cannot send the field that a token goes into.

import { ApiError, stream } from './api.js';

const SLOWEST = 15000;
const LONGEST = 1 << 20;

/** Splits text that comes in pieces into the data of events. */
export function events(take) {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop().slice(0, LONGEST);
    for (const line of lines) if (line.startsWith('data: ')) take(JSON.parse(line.slice(6)));
  };
}

/** A stream of events that is asked for again, later and later, when it breaks off; not while the page is hidden. */
export class Feed {
  #path;
  #listeners;
  #run = null;
  #wake = null;

  /** The listeners: `take(event)`, `opened()`, `lost(error, seconds to the next try)`. */
  constructor(path, listeners) {
    this.#path = path;
    this.#listeners = { opened() {}, lost() {}, ...listeners };
    document.addEventListener('visibilitychange', () => this.#run && this.#see());
  }

  start() {
    this.stop();
    this.#run = { active: null };
    this.#see();
  }

  stop() {
    this.#run?.active?.abort();
    this.#run = null;
  }

  /** Does not wait any longer. */
  retry() {
    this.#wake?.();
  }

  #see() {
    const run = this.#run;
    if (document.hidden) {
      run.active?.abort();
      run.active = null;
    } else if (!run.active) {
      run.active = new AbortController();
      this.#keep(run.active.signal);
    }
  }

  async #keep(signal) {
    for (let failures = 0; !signal.aborted; failures++) {
      const opened = () => {
        failures = 0;
        this.#listeners.opened();
      };
      let error = new ApiError(0, 'box serve has ended the connection');
      try {
        await stream(this.#path, { signal, opened, take: events(this.#listeners.take) });
      } catch (caught) {
        error = caught;
      }
      if (signal.aborted || error.status === 401) return;
      const delay = Math.min(SLOWEST, 500 * 2 ** failures);
      this.#listeners.lost(error, delay / 1000);
      await this.#sleep(delay, signal);
    }
  }

  #sleep(delay, signal) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delay);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      signal.addEventListener('abort', this.#wake, { once: true });
    });
  }
}
