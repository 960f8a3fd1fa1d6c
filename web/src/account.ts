import { accounts, type Client, connect, type Entrance, ParleyError } from '../../src/client/index.ts';

/** The URL of the server: the folder this page came from, which proxies may put anywhere. */
export const home = new URL('.', location.href);

export const server = accounts(home.href);

/** One for each server of a host. */
const KEY = home.pathname === '/' ? 'parley.token' : `parley.token ${home.pathname}`;
/** A window that was opened for somebody else, to talk with oneself: it does not take up who logged in last. */
const isForAnother = new URLSearchParams(location.search).has('another');

/** The token of this window, kept over reloads; a new window takes that of the last one. */
export const keptToken = (): string | null =>
  sessionStorage.getItem(KEY) ?? (isForAnother ? null : localStorage.getItem(KEY));

export function keep(token: string): void {
  sessionStorage.setItem(KEY, token);
  if (!isForAnother) localStorage.setItem(KEY, token);
}

export function forget(): void {
  if (localStorage.getItem(KEY) === keptToken()) localStorage.removeItem(KEY);
  sessionStorage.removeItem(KEY);
}

/** Milliseconds that logging out waits for the server. */
const LOGOUT_PATIENCE = 3_000;

/**
 * Ends the token that a client is connected with, in all windows that have it. Resolves to false when the server could
 * not be asked in time: the token then stays valid until it expires.
 */
export async function endToken(client: Client): Promise<boolean> {
  try {
    await client.call('endSession', {}, { signal: AbortSignal.timeout(LOGOUT_PATIENCE) });
    return true;
  } catch (error) {
    return error instanceof ParleyError && error.code === 'UNAUTHORIZED'; // it has ended already
  }
}

/** Connects with a token; a new one, after a change of the password, is taken from where it is kept. */
export function enter({ token }: Pick<Entrance, 'token'>): Client {
  keep(token);
  return connect({ url: home.href, token: () => keptToken() ?? token });
}
