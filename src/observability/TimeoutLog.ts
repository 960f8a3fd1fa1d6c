import type { Logger } from 'pino';
import type { KeyId, UserId } from '../ids.ts';
import { lruCache } from '../lruCache.ts';

/** A command of which PostgreSQL cancelled a statement. */
export interface TimedOut {
  readonly type: string;
  /** The user of the connection, or the key of a service connection. */
  readonly userId?: UserId;
  readonly keyId?: KeyId;
  readonly requestId: string;
  /** Milliseconds from the command to its reply. */
  readonly ms: number;
}

/** Milliseconds between two log lines for the same command and user. */
const LINE_INTERVAL = 60_000;
/** Pairs of user and command whose last log line is remembered. */
const MAX_KNOWN = 1_000;

/**
 * Logs commands that exceeded the time limit of their statements: at most one line a minute for each command and user.
 * `unlogged` is the number of timeouts since the line before.
 */
export class TimeoutLog {
  readonly #log: Pick<Logger, 'warn'>;
  readonly #now: () => number;
  readonly #known = lruCache<string, { readonly at: number; unlogged: number }>(MAX_KNOWN);

  /** `now` returns the time in milliseconds. */
  constructor(log: Pick<Logger, 'warn'>, now = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  add(timedOut: TimedOut): void {
    const key = `${timedOut.type} ${timedOut.userId ?? `key ${timedOut.keyId}`}`;
    const known = this.#known.get(key);
    const at = this.#now();
    if (known && at - known.at < LINE_INTERVAL) {
      known.unlogged++;
      return;
    }
    this.#log.warn({ ...timedOut, unlogged: known?.unlogged ?? 0 }, 'statement timed out');
    this.#known.set(key, { at, unlogged: 0 });
  }
}
