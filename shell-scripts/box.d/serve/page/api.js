// The HTTP API of box serve, asked with its token.

const KEY = 'box.token';

/** An answer that is none of success; `status` is 0 where there was no answer. */
export class ApiError extends Error {
  constructor(status, error, hint = '') {
    super(error);
    Object.assign(this, { status, hint });
  }
}

let refused = () => {};

/** What is to be done when a token is asked for. */
export function onRefused(listener) {
  refused = listener;
}

/** Takes a token out of the address, where it would be seen and kept. */
export function takeToken() {
  const given = /^#token=([A-Za-z0-9._~+/=-]+)$/.exec(location.hash);
  if (!given) return;
  sessionStorage.setItem(KEY, given[1]);
  history.replaceState(null, '', location.pathname);
}

export function setToken(token) {
  sessionStorage.setItem(KEY, token);
}

export const hasToken = () => sessionStorage.getItem(KEY) !== null;

/** Asks, and gives what the JSON of the answer says. */
export async function call(method, path, body) {
  const answer = await ask(method, path, { body: body === undefined ? undefined : JSON.stringify(body) });
  try {
    return await answer.json();
  } catch {
    throw new ApiError(0, 'the answer broke off');
  }
}

export const get = (path) => call('GET', path);
export const post = (path, body) => call('POST', path, body);

/** Gives the text of an answer to `take` as it comes; `opened` is called at its head. */
export async function stream(path, { signal, opened = () => {}, take }) {
  const answer = await ask('GET', path, { signal });
  opened();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      take(value);
    }
  } catch (error) {
    if (signal?.aborted) return;
    throw error instanceof TypeError ? new ApiError(0, 'the connection was lost') : error;
  }
}

async function ask(method, path, options) {
  const headers = {};
  if (hasToken()) headers.Authorization = `Bearer ${sessionStorage.getItem(KEY)}`;
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers,
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      ...options,
    });
  } catch {
    throw new ApiError(0, 'box serve does not answer', 'is it still running?');
  }
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  if (answer.status === 401) refused();
  throw new ApiError(answer.status, told.error || `box serve answers with ${answer.status}`, told.hint);
}

/** The path of a box, which may have a name or an ID. */
export const pathOf = (id, more = '') => `/containers/${encodeURIComponent(id)}${more}`;
