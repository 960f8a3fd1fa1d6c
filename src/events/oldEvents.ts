import type { Logger } from 'pino';
import type { Database } from '../database/database.ts';
import { isTransient } from '../database/failures.ts';
import { type Recurring, recurring } from '../database/recurring.ts';

/** Milliseconds between two deletions, and rows deleted per statement. */
const INTERVAL = 60_000;
const SLICE = 2_000;

/**
 * Deletes changes that are older than some days, now and every minute. An hour is added, in which the transactions end that
 * a cursor of that age may not have seen. Any number of nodes may run it.
 */
export function deleteOldEvents(db: Database, days: number, log: Logger): Recurring {
  return recurring(INTERVAL, async (closing) => {
    try {
      while (!closing.aborted && (await db.execute(deleteOldest, [days, SLICE])).length === SLICE);
    } catch (error) {
      if (!isTransient(error)) log.error({ err: error }, 'failed to delete old events');
    }
  });
}

/** Uses the key: the oldest have the lowest ids. */
const deleteOldest = `
delete from events where id = any (array(
  select id from (select id, created_at from events order by id limit $2) oldest
  where created_at < (select clock_timestamp() - make_interval(days => $1::int, hours => 1))
))
returning id
`;
