import { setTimeout as delay } from 'node:timers/promises';
import { CloseCode } from '../protocol/closeCodes.ts';
import type { SocketConnection } from './SocketConnection.ts';

/** Milliseconds between two slices of sockets that are closed. */
const STEP = 100;

/**
 * Closes sockets with 1012 within `duration` milliseconds, a slice at a time, so that their clients reconnect one after
 * another, or spread over the other nodes. Those that wait for an answer come last. Resolves to those that still wait in
 * the end, which are not closed.
 */
export async function drainConnections<One extends SocketConnection>(
  connections: Iterable<One>,
  reason: string,
  duration: number,
): Promise<One[]> {
  const staying = new Set(connections);
  const end = performance.now() + duration;
  for (let left = duration; left > 0 && staying.size > 0; left = end - performance.now()) {
    const slice = Math.ceil((staying.size * STEP) / left);
    for (const connection of staying) if (connection.state === 'closed') staying.delete(connection);
    for (const connection of [...staying].filter(isIdle).slice(0, slice)) {
      connection.close(CloseCode.ServiceRestart, reason);
      staying.delete(connection);
    }
    await delay(Math.min(STEP, left));
  }
  return [...staying].filter(({ state }) => state !== 'closed');
}

/** Returns true unless the connection waits for an answer, or for its admission. */
const isIdle = ({ socket, receiver }: SocketConnection): boolean =>
  socket !== undefined && (receiver?.unanswered() ?? 0) === 0;
