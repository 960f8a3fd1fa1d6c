import { RateLimiterRes } from 'rate-limiter-flexible';
import type { Database } from '../database/database.ts';

/** Counts points of keys within a window of time: what of rate-limiter-flexible the limits on attempts use. */
export interface AttemptCounter {
  readonly keyPrefix: string;
  /** The most within a window. */
  readonly points: number;
  /** Of the window, in seconds. */
  readonly duration: number;
  /** Counts one more; rejects with a `RateLimiterRes` where they are too many. */
  consume(key: string): Promise<unknown>;
  /** Takes one back. */
  reward(key: string): Promise<unknown>;
}

/** Counts in the database for all nodes together, by the clock of the database: the library compares those of the nodes. */
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

/** Windows that ended so many milliseconds ago are forgotten, and how many are in one statement. */
const FORGOTTEN_AFTER = 60_000;
const FORGOTTEN_AT_ONCE = 100;

/** Key $1, $2 points more, in a window of $3 milliseconds from the first of them: not longer, where the clock was set back. */
const addPoints = `
with clock as (
  select (extract(epoch from now()) * 1000)::bigint as ms
), forgotten as (
  delete from attempts where key in (
    select key from attempts
    where expire < (select ms from clock) - ${FORGOTTEN_AFTER} and key <> $1
    order by expire limit ${FORGOTTEN_AT_ONCE}
    for update skip locked
  )
)
insert into attempts as counted (key, points, expire) select $1, $2, ms + $3 from clock
on conflict (key) do update set
  points = case when counted.expire > excluded.expire - $3 then counted.points else 0 end + excluded.points,
  expire = case when counted.expire > excluded.expire - $3 then least(counted.expire, excluded.expire) else excluded.expire end
returning points as count, expire - (select ms from clock) as left
`;
