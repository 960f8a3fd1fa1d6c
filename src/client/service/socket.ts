import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';
import { ParleyError } from '../errors.ts';
import { refusal } from '../http.ts';
import type { LinkOptions } from '../Link.ts';

/**
 * Opens the sockets of a link with the key in the header `Authorization`, the one place where the server accepts it. The reason
 * of a refused upgrade is that of its response.
 */
export function createOpener(): Required<Pick<LinkOptions, 'open' | 'probe'>> {
  let reason: ParleyError | undefined;
  return {
    open(url, key) {
      const headers = { authorization: `Bearer ${key}` };
      const socket = new WebSocket(url, { headers, perMessageDeflate: false });
      reason = undefined;
      socket.on('unexpected-response', async (_, response) => {
        const body = await text(response).catch(() => '');
        reason = refusal(response.statusCode ?? 0, parse(body), response.headers['retry-after']);
        socket.close();
      });
      socket.on('error', ({ message }) => {
        reason ??= new ParleyError('UNAVAILABLE', `The server cannot be reached: ${message}`);
      });
      return socket;
    },
    async probe() {
      throw reason ?? new ParleyError('UNAVAILABLE', 'The server does not answer');
    },
  };
}

function parse(body: string): object | undefined {
  try {
    return JSON.parse(body) ?? undefined;
  } catch {
    return undefined; // of a proxy
  }
}
