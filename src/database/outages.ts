import type { Logger } from 'pino';

/** Milliseconds without a failure after which the database counts as back. */
const CALM = 1_000;

/**
 * Logs one line when the database goes away, with the reason, and one when it is back, with the seconds: however many
 * statements fail in between, and though some succeed.
 */
export class OutageLog {
  readonly #log: Pick<Logger, 'info' | 'warn'> | undefined;
  readonly #now: () => number;
  /** When it went away. */
  #since: number | undefined;
  /** When it first answered after the last failure. */
  #backAt: number | undefined;
  /** Until it first answers, the start says what it waits for; once connections are closed, nothing is an outage. */
  #state: 'starting' | 'watching' | 'closed' = 'starting';

  /** Times in milliseconds are those of `now`. */
  constructor(log?: Pick<Logger, 'info' | 'warn'>, now = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  /** A statement begun at `start` was lost, or a connection could not be made. */
  failed(error: unknown, start: number): void {
    this.#backAt = undefined;
    if (this.#since !== undefined || this.#state !== 'watching') return;
    this.#since = start;
    this.#log?.warn({ reason: reasonOf(error) }, 'disconnected from the database');
  }

  /** The database has answered. */
  succeeded(): void {
    if (this.#state === 'starting') this.#state = 'watching';
    if (this.#since === undefined) return;
    const now = this.#now();
    this.#backAt ??= now;
    if (now - this.#backAt < CALM) return;
    const seconds = Math.round((this.#backAt - this.#since) / 100) / 10;
    this.#since = undefined;
    this.#log?.info({ seconds }, 'connected to the database again');
  }

  /** Logs nothing any more: connections are closed on purpose. */
  close(): void {
    this.#state = 'closed';
  }
}

/** Why a connection could not be made, also where several addresses were tried. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && !error.message) return error.errors.map(reasonOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}
