import { WebSocket } from 'ws';
import { Client } from './Client.ts';
import type { ClientOptions } from './options.ts';

/*
 * `parley/client` in Node, with the WebSocket of the package `ws`: Node 20 has none of its own, and the token is sent in
 * a header, which proxies do not log.
 */

export * from './index.ts';

/** See {@link import('./index.ts').connect}. */
export function connect(options: ClientOptions): Client {
  return new Client({ open, ...options });
}

function open(url: string, token: string): WebSocket {
  return new WebSocket(url, { headers: { authorization: `Bearer ${token}` }, perMessageDeflate: false });
}
