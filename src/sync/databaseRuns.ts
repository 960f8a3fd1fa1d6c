import type { Logger } from 'pino';
import type { Database, Queries } from '../database/database.ts';
import { prepared } from '../database/statements.ts';
import type { SyncCursor } from './syncCursor.ts';

/*
 * A cursor is a snapshot, which contains ids of transactions. A database that was reset to an earlier state assigns
 * these ids again; that requires a restart of PostgreSQL (restore, crash) or another server (failover). So a cursor
 * also contains the run of PostgreSQL in which it was created, and each run records itself in the database regularly. A
 * cursor of an earlier run is valid if a record proves that every transaction it may have seen had ended: a history
 * that contains the record also contains these transactions and never assigns their ids again.
 */

/** Milliseconds between two records. Cursors created after the last record before a crash become invalid. */
const INTERVAL = 3_000;
/** Recorded runs that are kept; cursors of older ones are invalid. */
const MAX_RUNS = 1_000;

/** SQL for the current run of this database. */
export const presentRun = `(
  (select system_identifier::text from pg_control_system())
  || '@' || (extract(epoch from pg_postmaster_start_time()) * 1000000)::bigint
)`;

/** SQL: a run is one of this database server, or of a physical copy, whose ids of transactions continue. */
export const isOfSystem = (run: string): string =>
  `split_part(${run}, '@', 1) = (select system_identifier::text from pg_control_system())`;

/** Reads the current snapshot, the run, and the time of the clock of the database. */
export const presentState = prepared(
  'sync: present',
  `
select pg_current_snapshot()::text as snapshot, ${presentRun} as database, clock_timestamp() as time
`,
);

/** Returns true if the database contains everything from which a cursor was created. */
export async function isInDatabase(
  db: Queries,
  { database, since, until }: SyncCursor,
  present: string,
): Promise<boolean> {
  if (database === present) return true;
  return (await db.query(settledRun, [database, until ?? since])).length > 0;
}

/** A copy made by `pg_dump` contains the records but has other transaction ids; its system identifier differs. */
const settledRun = `
select from database_runs
where id = $1 and settled_xid >= pg_snapshot_xmax($2::pg_snapshot)
  and ${isOfSystem('id')}
`;

/**
 * Records the current run of the database every few seconds, and once more on `close`. Any number of nodes may run it.
 */
export function recordDatabaseRuns(db: Database, log: Logger): { close(): Promise<void> } {
  let recording: Promise<void> | undefined;
  const run = async (statement: string, bind: unknown[] = []) => {
    await db.execute(statement, bind).catch((error) => {
      log.debug({ err: error }, 'failed to record the run of the database');
    });
  };
  const recordOnce = () => {
    recording ??= run(lockRun).finally(() => {
      recording = undefined;
    });
    return recording;
  };
  const timer = setInterval(recordOnce, INTERVAL).unref();
  void recordOnce().then(() => run(deleteOld, [MAX_RUNS]));

  return {
    async close() {
      clearInterval(timer);
      await recording; // it may not see transactions that ended since it began
      await recordOnce();
    },
  };
}

/** Also locks the row of the run. */
export const lockRun = `
insert into database_runs (id, settled_xid) values (${presentRun}, pg_snapshot_xmin(pg_current_snapshot()))
on conflict (id) do update
set settled_xid = greatest(database_runs.settled_xid, excluded.settled_xid), noted_at = excluded.noted_at
`;

const deleteOld = `
delete from database_runs where id not in (select id from database_runs order by noted_at desc limit $1)
`;
