import type { Logger } from 'pino';

/** Milliseconds without a failure after which the database counts as back. */
const STABLE_AFTER = 1_000;

/**
 * Logs one line with the reason at the beginning of an outage of the database and one with its duration at the end,
 * regardless of the number of statements that fail or succeed in between.
 */
export class OutageLog {
  readonly #log: Pick<Logger, 'info' | 'warn'> | undefined;
  readonly #now: () => number;
  /** The beginning of the outage. */
  #since: number | undefined;
  /** The time of the first success after the last failure. */
  #backAt: number | undefined;
  /**
   * Outages are logged only while watching: before the first answer the start itself logs, and after `close` failures
   * are expected.
   */
  #state: 'starting' | 'watching' | 'closed' = 'starting';

  /** `now` returns the time in milliseconds. */
  constructor(log?: Pick<Logger, 'info' | 'warn'>, now = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  /** Records that a statement begun at `start` was lost, or that a connection failed. */
  failed(error: unknown, start: number): void {
    this.#backAt = undefined;
    if (this.#since !== undefined || this.#state !== 'watching') return;
    this.#since = start;
    this.#log?.warn({ reason: reasonOf(error) }, 'disconnected from the database');
  }

  /** Records an answer of the database. */
  succeeded(): void {
    if (this.#state === 'starting') this.#state = 'watching';
    if (this.#since === undefined) return;
    const now = this.#now();
    this.#backAt ??= now;
    if (now - this.#backAt < STABLE_AFTER) return;
    const seconds = Math.round((this.#backAt - this.#since) / 100) / 10;
    this.#since = undefined;
    this.#log?.info({ seconds }, 'reconnected to the database');
  }

  /** Stops logging, because connections are closed on purpose. */
  close(): void {
    this.#state = 'closed';
  }
}

/** Returns the reason of a failed connection, for one or several addresses. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && !error.message) return error.errors.map(reasonOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}
