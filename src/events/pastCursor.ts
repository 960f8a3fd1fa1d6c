import { ApiError } from '../protocol/errors.ts';
import type { EventCursor } from './cursor.ts';
import { type EventSource, NOTHING_READ } from './listEvents.ts';
import { presentState } from './validCursor.ts';

/**
 * Milliseconds before a time at which the search for its events begins. They become visible with the end of their
 * transaction, so one that was created shortly before may have become visible after it.
 */
const MARGIN = 60_000;
const DAY = 86_400_000;

/** Returns the cursor before the first event that is kept. */
export async function cursorFromBeginning({ db }: EventSource): Promise<EventCursor> {
  const { run, time } = await presentState(db);
  return { run, time, ...NOTHING_READ };
}

/**
 * Returns a cursor before all events since a time, by the clock of the database, and those of a minute before. Refuses a
 * time in the future, or before the days for which events are kept, with `BAD_REQUEST`.
 */
export async function cursorFromTime({ db, keptDays }: EventSource, from: Date): Promise<EventCursor> {
  const { run, time, newestId } = await presentState(db);
  const since = from.getTime() - MARGIN;
  if (from.getTime() > time || since < time - keptDays * DAY)
    throw new ApiError('BAD_REQUEST', `The time is not within the last ${keptDays} days`);
  let low = 1;
  let high = newestId + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [row] = await db.query<{ id: number; createdAt: Date }>(firstFrom, [middle]);
    if (!row || row.createdAt.getTime() >= since) high = middle;
    else low = row.id + 1;
  }
  const settled = { id: low - 1, noted: null };
  return { run, time: since, since: null, settled, window: null };
}

/** The first message or row of `events` from an id on. Uses the indexes on id. */
const firstFrom = `
select id, created_at as "createdAt" from (
  (select id, created_at from messages where id >= $1 order by id limit 1)
  union all
  (select id, created_at from events where id >= $1 order by id limit 1)
) either
order by id limit 1
`;
