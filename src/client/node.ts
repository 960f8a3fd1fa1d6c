import { WebSocket } from 'ws';
import { Client, type ClientOptions } from './Client.ts';

/*
 * `parley/client` in Node: the same, by the package `ws`, so that Node 20 has a WebSocket and the token goes in a
 * header, where no log of a proxy keeps it.
 */

export * from './index.ts';

/** See {@link import('./index.ts').connect}. */
export function connect(options: ClientOptions): Client {
  return new Client({ open, ...options });
}

function open(url: string, token: string): WebSocket {
  return new WebSocket(url, { headers: { authorization: `Bearer ${token}` }, perMessageDeflate: false });
}
