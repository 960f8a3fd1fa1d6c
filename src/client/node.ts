import { createRequire } from 'node:module';
import type { WebSocket as NodeSocket } from 'ws';
import { type Client, type ClientOptions, connect as connectAnywhere, type Socket } from './index.ts';

/*
 * The client in Node. With the package `ws` the token is sent in a header, which proxies do not log. Without it, the
 * WebSocket of Node is used, which Node has since 22.
 */

export * from './index.ts';

/** See {@link import('./index.ts').connect}. Throws an `Error` if there is no WebSocket. */
export function connect(options: ClientOptions): Client {
  return connectAnywhere({ ...options, open: options.open ?? opener() });
}

type Open = (url: string, token: string) => Socket;

function opener(): Open {
  const Installed = installed();
  if (Installed)
    return (url, token) =>
      new Installed(url, { headers: { authorization: `Bearer ${token}` }, perMessageDeflate: false });
  const { WebSocket: Own } = globalThis as { readonly WebSocket?: typeof WebSocket };
  if (!Own) throw new Error('Node has no WebSocket before 22: install the package ws');
  return (url, token) => new Own(url, ['auth', token]);
}

function installed(): typeof NodeSocket | undefined {
  try {
    return createRequire(import.meta.url)('ws');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}
