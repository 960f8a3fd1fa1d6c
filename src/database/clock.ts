import type { Logger } from 'pino';
import { fn } from 'sequelize';
import type { Database } from './database.ts';
import { isUnavailable } from './failures.ts';

/** Tells the time in whole milliseconds since the epoch. `Date` is one, of this machine alone. */
export interface Clock {
  now(): number;
}

/**
 * The clock of the database, by which all nodes go: whatever one node writes down and another one judges, or a
 * statement compares with `clock_timestamp()`, is a time of this clock. It does not follow the clock of this machine,
 * which may be wrong, differ from those of other machines, or be set meanwhile.
 */
export interface DatabaseClock extends Clock {
  close(): void;
}

/** The time by that clock, as a value that a model writes into a column. */
export const databaseNow = fn('clock_timestamp');

/** Milliseconds between two measurements, and measurements at the start. */
const MEASURE = 10_000;
const AT_START = 5;
/** Milliseconds by which a clock is wrong before operators are told. */
const NOTICEABLE = 1_000;

/** Measures the clock of the database, and goes on measuring it until it is closed. Rejects when the database is away. */
export async function startDatabaseClock(db: Database, log: Logger): Promise<DatabaseClock> {
  const estimate = new ClockEstimate();
  async function measure(): Promise<void> {
    const before = performance.now();
    const [{ now } = { now: 0 }] = await db.query<{ now: number }>(databaseTime, []);
    const seconds = estimate.measured(before, now, performance.now()) / 1000;
    if (Math.abs(seconds) * 1000 > NOTICEABLE)
      log.warn({ seconds }, 'the clock of the database was set; tokens and times follow it');
  }

  for (let count = 0; count < AT_START; count++) await measure();
  const now = () => Math.floor(performance.now() + estimate.offset);
  const seconds = (Date.now() - now()) / 1000; // negative: it is behind
  if (Math.abs(seconds) * 1000 > NOTICEABLE)
    log.warn({ seconds }, 'the clock of this machine differs from that of the database');

  let isMeasuring = false;
  const timer = setInterval(() => {
    if (isMeasuring) return;
    isMeasuring = true;
    measure()
      .catch((error) => {
        if (!isUnavailable(error)) log.error({ err: error }, 'the clock of the database could not be read');
      })
      .finally(() => {
        isMeasuring = false;
      });
  }, MEASURE).unref();
  return { now, close: () => clearInterval(timer) };
}

const databaseTime = 'select (extract(epoch from clock_timestamp()) * 1000)::double precision as now';

/** Parts of a second by which two clocks may drift apart in a second: more than the quartz of any computer. */
const DRIFT = 0.0005;

/**
 * Estimates how far a clock is ahead of `performance.now()`, in milliseconds, from readings of it: each was taken at some
 * time between the question and the answer. What several of them agree on is better than the quickest one; where they
 * contradict each other the clock was set, and the newest is right.
 */
export class ClockEstimate {
  #low = Number.NEGATIVE_INFINITY;
  #high = Number.POSITIVE_INFINITY;
  #at = 0;

  get offset(): number {
    return (this.#low + this.#high) / 2;
  }

  /** Takes a reading between two times of `performance.now()`; returns by how much the clock was set, or 0. */
  measured(before: number, reading: number, after: number): number {
    const drift = (after - this.#at) * DRIFT;
    const earlier = this.offset;
    const low = Math.max(reading - after, this.#low - drift);
    const high = Math.min(reading - before, this.#high + drift);
    const wasSet = low > high;
    [this.#low, this.#high] = wasSet ? [reading - after, reading - before] : [low, high];
    this.#at = after;
    return wasSet ? this.offset - earlier : 0;
  }
}
