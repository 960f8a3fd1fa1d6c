import type { Logger } from 'pino';
import { fn } from 'sequelize';
import type { Database } from './database.ts';
import { isUnavailable } from './failures.ts';

/** A clock in whole milliseconds since the epoch. `Date` is one too, but only for this machine. */
export interface Clock {
  now(): number;
}

/**
 * The clock of the database, which all nodes use: every time that one node stores and another one compares, or that a
 * statement compares with `clock_timestamp()`, is a time of this clock. It does not follow the clock of this machine,
 * which may be wrong, differ from those of other machines, or be set at any time.
 */
export interface DatabaseClock extends Clock {
  close(): void;
}

/** The current time of that clock, as a value for a column of a model. */
export const databaseNow = fn('clock_timestamp');

/** Milliseconds between two measurements, and the number of measurements at the start. */
const MEASURE_INTERVAL = 10_000;
const AT_START = 5;
/** Milliseconds of deviation above which a warning is logged. */
const WARN_FROM = 1_000;

/** Measures the clock of the database until it is closed. Rejects if the database is unavailable. */
export async function startDatabaseClock(db: Database, log: Logger): Promise<DatabaseClock> {
  const estimate = new ClockEstimate();
  async function measure(): Promise<void> {
    const before = performance.now();
    const [{ now } = { now: 0 }] = await db.query<{ now: number }>(databaseTime, []);
    const seconds = estimate.measured(before, now, performance.now()) / 1000;
    if (Math.abs(seconds) * 1000 > WARN_FROM)
      log.warn({ seconds }, 'clock of the database was set; tokens and times follow it');
  }

  for (let count = 0; count < AT_START; count++) await measure();
  const now = () => Math.floor(performance.now() + estimate.offset);
  const seconds = (Date.now() - now()) / 1000; // negative if this machine is behind
  if (Math.abs(seconds) * 1000 > WARN_FROM)
    log.warn({ seconds }, 'clock of this machine differs from that of the database');

  let isMeasuring = false;
  const timer = setInterval(() => {
    if (isMeasuring) return;
    isMeasuring = true;
    measure()
      .catch((error) => {
        if (!isUnavailable(error)) log.error({ err: error }, 'failed to read the clock of the database');
      })
      .finally(() => {
        isMeasuring = false;
      });
  }, MEASURE_INTERVAL).unref();
  return { now, close: () => clearInterval(timer) };
}

const databaseTime = 'select (extract(epoch from clock_timestamp()) * 1000)::double precision as now';

/** Maximum drift between two clocks, in seconds per second: more than that of any quartz. */
const DRIFT = 0.0005;

/**
 * Estimates the offset of a clock from `performance.now()` in milliseconds from readings, each of which was taken
 * between a request and its answer. The intersection of several readings is more precise than the quickest one. If they
 * contradict each other, the clock was set, and the newest reading is used.
 */
export class ClockEstimate {
  #low = Number.NEGATIVE_INFINITY;
  #high = Number.POSITIVE_INFINITY;
  #at = 0;

  get offset(): number {
    return (this.#low + this.#high) / 2;
  }

  /**
   * Adds a reading that was taken between two times of `performance.now()`. Returns by how many milliseconds the clock
   * was set, or 0.
   */
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
