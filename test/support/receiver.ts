import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Event } from '../../src/events/read.ts';

/** A delivery of a webhook, as it arrived. */
export interface Delivery {
  readonly id: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly events: readonly Event[];
  /** Answers it, if the receiver holds its answers. */
  answer(status: number): void;
  /** True once the node has closed its connection. */
  readonly isEnded: boolean;
}

/** A server on this machine to which webhooks are delivered. */
export interface Receiver {
  readonly url: string;
  /** All deliveries so far. */
  readonly received: readonly Delivery[];
  /** The statuses of the next answers, then always the last one; null holds the answer. Redirects go to /redirected. */
  answers: (number | null)[];
  /** Requests to /redirected. */
  readonly redirected: number;
  close(): Promise<void>;
}

/** Starts a receiver, with TLS if it gets a certificate and its key. */
export async function startReceiver(
  answers: (number | null)[],
  tls?: { readonly cert: Buffer; readonly key: Buffer },
): Promise<Receiver> {
  const received: Delivery[] = [];
  const listener: RequestListener = async (request, response) => {
    if (request.url === '/redirected') receiver.redirected++;
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return; // the node has aborted the request
    }
    const body = Buffer.concat(chunks).toString();
    const answer = (status: number) => response.writeHead(status, { location: '/redirected' }).end('ok');
    received.push(deliveryOf(request.headers, body, answer, () => request.socket.destroyed));
    const [status = 200] = receiver.answers.length > 1 ? receiver.answers.splice(0, 1) : receiver.answers;
    if (status !== null) answer(status);
  };
  const server = tls ? createSecureServer(tls, listener) : createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const receiver = {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}/events`,
    received,
    answers,
    redirected: 0,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return receiver;
}

function deliveryOf(
  headers: IncomingHttpHeaders,
  body: string,
  answer: (status: number) => void,
  isEnded: () => boolean,
): Delivery {
  return {
    id: String(headers['webhook-id']),
    headers: headers as Record<string, string>,
    body,
    events: body === '' ? [] : JSON.parse(body).data.events,
    answer,
    get isEnded() {
      return isEnded();
    },
  };
}
