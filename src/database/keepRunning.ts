import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { StartError } from '../protocol/errors.ts';
import { type Cluster, lastLine } from './postgresCluster.ts';

/** Milliseconds between two checks that the database runs, and the maximum while it fails to start. */
const WATCH_INTERVAL = 1_000;
const WATCH_INTERVAL_MAX = 30_000;

/** Resolves after some milliseconds, or when the signal is aborted. */
type Wait = (milliseconds: number, signal: AbortSignal) => Promise<void>;

const wait: Wait = (milliseconds, signal) =>
  delay(milliseconds, undefined, { signal, ref: false }).catch(() => {});

/** Restarts the database on the same port whenever it has exited, with growing pauses while it fails to start. */
export function keepRunning(
  cluster: Pick<Cluster, 'isRunning' | 'start' | 'lastLogLines'>,
  port: number,
  log: Pick<Logger, 'error'>,
  pauseFor = wait,
): { end(): Promise<void> } {
  const ended = new AbortController();
  let pause = WATCH_INTERVAL;

  async function check(): Promise<void> {
    if (await cluster.isRunning()) {
      pause = WATCH_INTERVAL;
      return;
    }
    pause = Math.min(2 * pause, WATCH_INTERVAL_MAX);
    log.error('restarting the embedded database, which has exited');
    await cluster.start(port).catch(async (error) => {
      const reason = error instanceof StartError ? error.message : await cluster.lastLogLines();
      log.error(
        { reason: reason || lastLine(error), retryAfterMs: pause },
        'failed to start the embedded database',
      );
    });
  }

  async function watch(): Promise<void> {
    while (!ended.signal.aborted) {
      await pauseFor(pause, ended.signal);
      if (ended.signal.aborted) continue;
      await check().catch((error) => log.error({ err: error }, 'failed to check the embedded database'));
    }
  }
  const watching = watch();
  return {
    async end() {
      ended.abort();
      await watching;
    },
  };
}
