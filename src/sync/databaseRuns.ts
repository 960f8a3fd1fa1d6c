import type { Logger } from 'pino';
import type { Database, Queries } from '../database/database.ts';
import { prepared } from '../database/statements.ts';
import type { SyncCursor } from './cursor.ts';

/*
 * A cursor is a snapshot: it names transactions by numbers, which a database that was set back gives again. That takes
 * another start of PostgreSQL (a restore, a crash) or another server (a failover). So a cursor also names the run of
 * PostgreSQL it was made in, and each run leaves notes of itself in the database. A cursor of an earlier run is good
 * where a note says that every transaction it may have seen had ended: whatever history has the note has these
 * transactions, too, and never gives their numbers again.
 */

/** Milliseconds between two notes: cursors made since the last one before a crash are of no use afterwards. */
const INTERVAL = 3_000;
/** Runs that are remembered; cursors of older ones start again. */
const REMEMBERED = 1_000;

/** SQL: the present run of this database. */
const presentRun = `(
  (select system_identifier::text from pg_control_system())
  || '@' || (extract(epoch from pg_postmaster_start_time()) * 1000000)::bigint
)`;

/** The present snapshot, the run, and the time by the clock of the database. */
export const presentState = prepared(
  'sync: present',
  `
select pg_current_snapshot()::text as snapshot, ${presentRun} as database, clock_timestamp() as time
`,
);

/** True if everything that a cursor was answered from is in the database as it is now. */
export async function isInDatabase(
  db: Queries,
  { database, since, until }: SyncCursor,
  present: string,
): Promise<boolean> {
  if (database === present) return true;
  return (await db.query(settledRun, [database, until ?? since])).length > 0;
}

/** A copy made by `pg_dump` has the notes, but numbers its transactions by itself: it has another system identifier. */
const settledRun = `
select from database_runs
where id = $1 and settled_xid >= pg_snapshot_xmax($2::pg_snapshot)
  and split_part(id, '@', 1) = (select system_identifier::text from pg_control_system())
`;

/** Notes the present run of the database every few seconds, and once more on `close`. Any number of nodes may do it. */
export function noteDatabaseRuns(db: Database, log: Logger): { close(): Promise<void> } {
  let noting: Promise<void> | undefined;
  const run = async (statement: string, bind: unknown[] = []) => {
    await db.execute(statement, bind).catch((error) => {
      log.debug({ err: error }, 'the run of the database could not be noted');
    });
  };
  const noteOnce = () => {
    noting ??= run(note).finally(() => {
      noting = undefined;
    });
    return noting;
  };
  const timer = setInterval(noteOnce, INTERVAL).unref();
  void noteOnce().then(() => run(forgetOld, [REMEMBERED]));

  return {
    async close() {
      clearInterval(timer);
      await noting; // that one may not see what ended since it began
      await noteOnce();
    },
  };
}

const note = `
insert into database_runs (id, settled_xid) values (${presentRun}, pg_snapshot_xmin(pg_current_snapshot()))
on conflict (id) do update
set settled_xid = greatest(database_runs.settled_xid, excluded.settled_xid), noted_at = excluded.noted_at
`;

const forgetOld = `
delete from database_runs where id not in (select id from database_runs order by noted_at desc limit $1)
`;
