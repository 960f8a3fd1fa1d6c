import type { us_listen_socket, WebSocket } from 'uWebSockets.js';
import { connect } from 'node:net';
import { uWS } from './uws.ts';

/** A socket of this process's own, in whose cork others are upgraded. */
export interface CorkHost {
  /** Runs `write` at once, inside the cork of the socket. */
  run(write: () => void): void;
  close(): void;
}

const UPGRADE = [
  'GET / HTTP/1.1',
  'Host: localhost',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  '\r\n',
].join('\r\n');

/**
 * Opens a silent WebSocket from this process to itself. The library may close a socket that is upgraded, some time after
 * its request, in a cork of its own: at the end of the cork it reads HTTP state from memory that is a WebSocket by then
 * (uNetworking/uWebSockets#1928). Nested in the cork of another socket it has no end of its own; there always is
 * this one, also for the first client of a server. Rejects where the process cannot listen on the loopback interface.
 */
export function openCorkHost(): Promise<CorkHost> {
  return new Promise((resolve, reject) => {
    const app = uWS.App();
    let listening: us_listen_socket | undefined;
    let socket: WebSocket<unknown> | undefined;
    app.ws('/*', {
      idleTimeout: 0,
      sendPingsAutomatically: false,
      open(opened) {
        socket ??= opened;
        if (listening) uWS.us_listen_socket_close(listening);
        listening = undefined;
        resolve({
          run(write) {
            if (socket) socket.cork(write);
            else write();
          },
          close: () => app.close(),
        });
      },
      close(closed) {
        if (closed === socket) socket = undefined;
      },
    });
    app.listen('127.0.0.1', 0, (bound) => {
      if (!bound)
        return reject(new Error('cannot listen on 127.0.0.1, for a socket of the process to itself'));
      listening = bound;
      const client = connect(uWS.us_socket_local_port(bound), '127.0.0.1');
      client.on('error', reject).resume().unref();
      client.write(UPGRADE);
    });
  });
}
