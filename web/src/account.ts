import { accounts, type Client, connect, type Entrance, ParleyError } from '../../src/client/index.ts';

/** The URL of the server: the folder of this page, which may have any path behind a proxy. */
export const home = new URL('.', location.href);

export const server = accounts(home.href);

/** The key of the token in the storage of the browser, one for each server of a host. */
const KEY = home.pathname === '/' ? 'parley.token' : `parley.token ${home.pathname}`;
/** True in a window that was opened to log in as another user: it does not use the token of the other windows. */
const isForOtherUser = new URLSearchParams(location.search).has('another');

/** Returns the token of this window, which survives reloads; a new window takes the token of the last login. */
export const storedToken = (): string | null =>
  sessionStorage.getItem(KEY) ?? (isForOtherUser ? null : localStorage.getItem(KEY));

/** Stores the token of this window, and for new windows. */
function storeToken(token: string): void {
  sessionStorage.setItem(KEY, token);
  if (!isForOtherUser) localStorage.setItem(KEY, token);
}

/**
 * Removes the token of this window, also for new windows unless another user has logged in since. Returns false if it
 * was removed before.
 */
export function removeToken(): boolean {
  const token = sessionStorage.getItem(KEY);
  if (localStorage.getItem(KEY) === token) localStorage.removeItem(KEY);
  sessionStorage.removeItem(KEY);
  return token !== null;
}

/** Maximum milliseconds that a logout waits for the server. */
const LOGOUT_TIMEOUT = 3_000;

/**
 * Revokes the token of a client, in all windows that use it. Resolves to false if the server did not answer in time:
 * the token then stays valid until it expires.
 */
export async function endToken(client: Client): Promise<boolean> {
  try {
    await client.call('endSession', {}, { signal: AbortSignal.timeout(LOGOUT_TIMEOUT) });
    return true;
  } catch (error) {
    return error instanceof ParleyError && error.code === 'UNAUTHORIZED'; // it was revoked before
  }
}

/** The change of the password that is under way: the server ends connections before its answer has the new token. */
let change: Promise<void> = Promise.resolve();

/** Changes the password, and stores the token that replaces the one of this window. */
export function changePassword(password: string, currentPassword: string): Promise<void> {
  const changed = server.update(storedToken() ?? '', { password, currentPassword }).then(({ token }) => {
    if (token) storeToken(token);
  });
  change = changed.catch(() => {});
  return changed;
}

/** Stores a token and connects with it; reconnects with the stored token, which a change of the password replaces. */
export function connectWith({ token }: Pick<Entrance, 'token'>): Client {
  storeToken(token);
  const current = async () => {
    await change;
    return storedToken() ?? token;
  };
  return connect({ url: home.href, token: current });
}
