import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { UserId } from '../ids.ts';

/** A command that PostgreSQL cancelled a statement of. */
export interface TimedOut {
  readonly type: string;
  readonly userId: UserId;
  readonly requestId: string;
  /** Milliseconds from the command to its reply. */
  readonly ms: number;
}

/** Milliseconds for which one line stands for all timeouts of a command and a user. */
const ONE_LINE = 60_000;
/** Users and commands of which it is known when they were logged last. */
const MAX_KNOWN = 1_000;

/**
 * Logs whose command ran into the time limit of its statements, so that an operator finds them: of one command of one
 * user once a minute, with `unlogged`, how many there were since the line before.
 */
export class TimeoutLog {
  readonly #log: Pick<Logger, 'warn'>;
  readonly #now: () => number;
  readonly #known = new LRUCache<string, { readonly at: number; unlogged: number }>({ max: MAX_KNOWN });

  /** Times in milliseconds are those of `now`. */
  constructor(log: Pick<Logger, 'warn'>, now = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  add(timedOut: TimedOut): void {
    const key = `${timedOut.type} ${timedOut.userId}`;
    const known = this.#known.get(key);
    const at = this.#now();
    if (known && at - known.at < ONE_LINE) {
      known.unlogged++;
      return;
    }
    this.#log.warn({ ...timedOut, unlogged: known?.unlogged ?? 0 }, 'a statement took too long');
    this.#known.set(key, { at, unlogged: 0 });
  }
}
