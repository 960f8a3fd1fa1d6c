import type { Database } from '../database/database.ts';
import { lockRun, presentRun } from '../sync/databaseRuns.ts';
import type { EventCursor, EventWindow, Settled } from './cursor.ts';

/** A new window, and what was known when it was opened. */
interface Opened {
  readonly run: string;
  readonly window: EventWindow;
}

/**
 * Opens the window from the end of the previous one to the present.
 *
 * Events have ids of one sequence, which are taken before the commit. So an event may become visible after others with
 * higher ids, and every window is read from the lowest id that may have been missing in the previous snapshot. That one is
 * found with a note: at some time `noted.id` was the newest id, and the transactions that had taken ids up to it had numbers
 * below `noted.xid`, because a transaction gets its number before it takes an id. Once they have ended, everything up to
 * `noted.id` is settled.
 *
 * The transaction also stores its snapshot for the run of the database. A database that contains the stored snapshot
 * contains everything that a cursor may have seen whose snapshot is a part of it (validCursor.ts). Its commit also makes the
 * ids durable that were taken before: a crash does not give them again.
 */
export function openWindow(db: Database, { id, noted }: Settled): Promise<Opened> {
  return db.transaction(async (transaction) => {
    const [before] = await db.query<Before>(newestAndIndexed, [], transaction);
    await db.execute(lockRun, [], transaction);
    const [now] = await db.execute<Now>(storeSnapshot, [], transaction);
    if (!before || !now) throw new Error('PostgreSQL named no snapshot');

    const { snapshot: until, run, xid, newestId: lastId, time } = now;
    const oldest = xminOf(until);
    const own = { id: before.newestId, xid };
    const known = [own, ...(noted ? [noted] : [])].filter((note) => oldest >= BigInt(note.xid));
    const settledId = Math.max(id, before.indexedId, ...known.map((note) => note.id));
    const isOver = noted === null || known.includes(noted);
    const settled = { id: settledId, noted: own.id <= settledId ? null : isOver ? own : noted };
    return { run, window: { until, time, lastId, settled, next: [id + 1, 0] } };
  });
}

/** Returns the cursor behind the last event of a window. */
export function endOf(
  { run }: Pick<EventCursor, 'run'>,
  { until: since, time, settled }: EventWindow,
): EventCursor {
  return { run, time, since, settled, window: null };
}

const xminOf = (snapshot: string): bigint => BigInt(snapshot.slice(0, snapshot.indexOf(':')));

interface Before {
  readonly newestId: number;
  readonly indexedId: number;
}

interface Now {
  readonly snapshot: string;
  readonly run: string;
  readonly xid: string;
  readonly newestId: number;
  readonly time: number;
}

/** SQL for the identifier of this database among those of its PostgreSQL. */
export const ownDatabase = `(select oid::text from pg_database where datname = current_database())`;

/**
 * SQL for the run in cursors of events: that of PostgreSQL, and the database. Ids of transactions go on over all databases
 * of a PostgreSQL, but those of events do not: a dump that is restored beside its original takes the same ids again.
 */
export const eventRun = `(${presentRun} || '/' || ${ownDatabase})`;

/** The newest id that was taken by any transaction. */
export const newestId = `coalesce(pg_sequence_last_value('messages_id_seq'), 0)`;

/** Reads the newest id before the transaction gets its number. What the search has indexed is settled as well. */
const newestAndIndexed = `
select ${newestId} as "newestId", (select least(settled_id, ${newestId}) from message_search_progress) as "indexedId"
`;

const storeSnapshot = `
update database_runs set event_snapshot = pg_current_snapshot()
where id = ${presentRun}
returning event_snapshot::text as snapshot, ${eventRun} as run, pg_current_xact_id()::text as xid, ${newestId} as "newestId",
  floor(extract(epoch from clock_timestamp()) * 1000)::bigint as time
`;
