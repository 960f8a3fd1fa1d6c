import { RateLimiterRes } from 'rate-limiter-flexible';
import type { Database } from '../database/database.ts';

/**
 * Counts points per key within a time window: the part of the interface of rate-limiter-flexible that attemptLimits.ts uses.
 */
export interface AttemptCounter {
  readonly keyPrefix: string;
  /** Allowed points within a window. */
  readonly points: number;
  /** Duration of the window in seconds. */
  readonly duration: number;
  /** Adds a point; rejects with a `RateLimiterRes` if there are too many. */
  consume(key: string): Promise<unknown>;
  /** Removes a point. */
  reward(key: string): Promise<unknown>;
}

/**
 * Counts in the database for all nodes together and by its clock. The library's own store would compare the nodes'
 * clocks.
 */
export function createSharedCounter(
  db: Database,
  window: Pick<AttemptCounter, 'keyPrefix' | 'points' | 'duration'>,
): AttemptCounter {
  const { keyPrefix, points, duration } = window;
  async function add(key: string, change: number): Promise<RateLimiterRes> {
    const bind = [`${keyPrefix}:${key}`, change, duration * 1000];
    const [{ count, left } = { count: 0, left: 0 }] = await db.execute<Counted>(addPoints, bind);
    return new RateLimiterRes(Math.max(0, points - count), left, count, count === change);
  }
  return {
    ...window,
    async consume(key) {
      const result = await add(key, 1);
      if (result.consumedPoints > points) throw result;
    },
    reward: (key) => add(key, -1),
  };
}

interface Counted {
  readonly count: number;
  /** Milliseconds until the window ends. */
  readonly left: number;
}

/** Milliseconds after their end at which windows are deleted, and how many are deleted in one statement. */
const DELETED_AFTER = 60_000;
const DELETED_AT_ONCE = 100;

/**
 * Adds $2 points to key $1 in a window of $3 milliseconds from the first point, which stays as long if the clock is set
 * back.
 */
const addPoints = `
with clock as (
  select (extract(epoch from now()) * 1000)::bigint as ms
), forgotten as (
  delete from attempts where key in (
    select key from attempts
    where expire < (select ms from clock) - ${DELETED_AFTER} and key <> $1
    order by expire limit ${DELETED_AT_ONCE}
    for update skip locked
  )
)
insert into attempts as counted (key, points, expire) select $1, $2, ms + $3 from clock
on conflict (key) do update set
  points = case when counted.expire > excluded.expire - $3 then counted.points else 0 end + excluded.points,
  expire = case when counted.expire > excluded.expire - $3 then least(counted.expire, excluded.expire) else excluded.expire end
returning points as count, expire - (select ms from clock) as left
`;
