import { setTimeout as delay } from 'node:timers/promises';
import { CloseCode } from '../protocol/closeCodes.ts';
import type { Connection } from './Connection.ts';

/** Milliseconds between two slices of sockets that are closed. */
const STEP = 100;

/**
 * Closes sockets with 1012, a slice at a time in so many milliseconds, so that their clients come back one after
 * another, or spread over the other nodes. Those that wait for an answer come last; resolves to those that still do in
 * the end, which are open.
 */
export async function drainConnections(
  connections: Iterable<Connection>,
  reason: string,
  duration: number,
): Promise<Connection[]> {
  const staying = new Set(connections);
  const end = performance.now() + duration;
  for (let left = duration; left > 0 && staying.size > 0; left = end - performance.now()) {
    const slice = Math.ceil((staying.size * STEP) / left);
    const idle = [...staying].filter(isIdle);
    for (const connection of idle.slice(0, slice)) {
      connection.close(CloseCode.ServiceRestart, reason);
      staying.delete(connection);
    }
    await delay(Math.min(STEP, left));
  }
  return [...staying].filter(({ ended }) => !ended);
}

/** True unless it waits for an answer, or to be let in. */
const isIdle = ({ socket, receiver, ended }: Connection): boolean =>
  ended || (socket !== undefined && (receiver?.unanswered() ?? 0) === 0);
