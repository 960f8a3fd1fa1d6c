import type { Logger } from 'pino';
import { createGuard } from '../net/guard.ts';
import { createRounds } from './rounds.ts';
import type { SocketConnection } from './SocketConnection.ts';

/** Milliseconds between two looks at all sockets, and the steps into which a look is divided. */
const LOOK = 1_000;
const STEPS = 10;

/**
 * Keeps the send buffers of all clients of a node together below `maxBytes`: each alone may be within its bound, and all
 * together more than the memory there is. Those with the most are dropped, as one that is over its own bound is.
 */
export function watchSendBuffers<One extends Pick<SocketConnection, 'waitingBytes'>>(
  connections: Iterable<One> & { readonly size: number },
  maxBytes: number,
  drop: (connection: One) => void,
  log: Logger,
): { close(): void } {
  let behind: One[] = [];

  function look(connection: One): void {
    if (connection.waitingBytes > 0) behind.push(connection);
  }

  /** Called when all sockets were looked at once. */
  function looked(): void {
    const seen = behind;
    behind = [];
    const buffers = seen.map((connection) => ({ bytes: connection.waitingBytes, connection }));
    let total = buffers.reduce((sum, { bytes }) => sum + bytes, 0);
    if (total > maxBytes) {
      log.warn({ bytes: total, maxBytes, clients: buffers.length }, 'send buffers are over their limit');
      buffers.sort((one, other) => other.bytes - one.bytes);
      for (const { bytes, connection } of buffers) {
        if (total <= maxBytes) break;
        drop(connection);
        total -= bytes;
      }
    }
  }

  const step = createRounds(connections, STEPS, look, looked);
  const timer = setInterval(createGuard(log)('send buffers', step), LOOK / STEPS);
  return { close: () => clearInterval(timer) };
}
