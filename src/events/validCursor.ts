import type { Queries } from '../database/database.ts';
import { ApiError } from '../protocol/errors.ts';
import { isOfSystem } from '../sync/databaseRuns.ts';
import type { EventCursor } from './cursor.ts';
import { eventRun, newestId, ownDatabase } from './window.ts';

/** The state of the database to which a cursor is compared. */
export interface PresentState {
  readonly run: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** The newest id that any transaction has taken. */
  readonly newestId: number;
}

export async function presentState(db: Queries): Promise<PresentState> {
  const [present] = await db.query<PresentState>(readPresent, []);
  if (!present) throw new Error('PostgreSQL named no run');
  return present;
}

const readPresent = `
select ${eventRun} as run, floor(extract(epoch from clock_timestamp()) * 1000)::bigint as time,
  ${newestId} as "newestId"
`;

/** The refusal of a cursor behind which events are missing. */
export class InvalidCursorError extends ApiError {
  constructor(message: string) {
    super('CONFLICT', message);
  }
}

/** A day in milliseconds. */
const DAY = 86_400_000;

/**
 * Returns a cursor as it is valid in the present run of the database. Refuses it with an `InvalidCursorError` if
 * events after it have been deleted, or if the database may have lost events before it. `isStored`: the cursor was read from the database
 * itself, which therefore contains everything that the cursor has seen.
 */
export async function validCursor(
  db: Queries,
  cursor: EventCursor,
  { run, time }: PresentState,
  keptDays: number,
  isStored = false,
): Promise<EventCursor> {
  if (cursor.time < time - keptDays * DAY)
    throw new InvalidCursorError(`The cursor is older than ${keptDays} days, for which events are kept`);
  if (cursor.run === run) return cursor;
  const seen = cursor.window?.until ?? cursor.since;
  const [found] = await db.query(isStored ? isOfThisSystem : isProven, [
    cursor.run,
    ...(isStored ? [] : [seen]),
  ]);
  if (!found && seen !== null)
    throw new InvalidCursorError(
      'The database has lost events since the cursor was issued, by a restore or failover',
    );
  return { ...cursor, run };
}

const isOfThisSystem = `select where ${isOfSystem('$1')}`;

/** Everything visible to the snapshot $2 is visible to the one that is stored for the run $1. */
const isProven = `
select from database_runs
where id = split_part($1, '/', 1) and ${isOfSystem('id')} and split_part($1, '/', 2) = ${ownDatabase}
  and pg_snapshot_xmax($2::pg_snapshot) <= pg_snapshot_xmax(event_snapshot)
  and not exists (
    select from pg_snapshot_xip(event_snapshot) as open (xid) where pg_visible_in_snapshot(open.xid, $2::pg_snapshot)
  )
`;
