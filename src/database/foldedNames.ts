import type { Logger } from 'pino';
import type { Transaction } from 'sequelize';
import type { Database } from './database.ts';
import { isUnavailable, violatedConstraint } from './failures.ts';
import { ambiguousGroups, ambiguousUsers, anyUnfolded, onlyByIndex } from './foldedNames.sql.ts';
import { CHUNK, type Fill, type Filled, fillGroups, fillUsers } from './foldedRows.ts';

/*
 * Fills the folded columns of names that were written without them: before this version, by older servers that still
 * run, and by SQL. It also updates ambiguous names when the other row with the same name has been renamed. Only the
 * server can fold names; the database finds the rows by partial indexes.
 */

/** Milliseconds between two runs. */
const INTERVAL = 2_000;
/** Maximum names of a kind in a log line. */
const MAX_SHOWN = 20;
/** An arbitrary advisory lock: one node fills at a time, so that the first of two rows with the same name keeps it. */
const LOCK = 7_275_392;

/**
 * Fills all rows without folded columns in chunks, each in a transaction of its own. Calls `progress` after each chunk
 * with the number of rows of its kind so far. Resolves to the number of all rows.
 */
export async function fillFoldedNames(db: Database, progress: Progress = () => {}): Promise<number> {
  const [some] = await byIndex(db, (transaction) =>
    db.query<{ rows: boolean }>(anyUnfolded, [], transaction),
  );
  if (!some?.rows) return 0;
  return (await fillAll(db, fillUsers, progress)) + (await fillAll(db, fillGroups, progress));
}

/** Logs the accounts and groups whose folded name another one has as well, if there are any. */
export async function warnOfAmbiguousNames(db: Database, log: Logger): Promise<void> {
  const [users = [], groups = []] = await byIndex(db, async (transaction) => [
    await db.query(ambiguousUsers, [MAX_SHOWN], transaction),
    await db.query(ambiguousGroups, [MAX_SHOWN], transaction),
  ]);
  if (users.length + groups.length > 0)
    log.warn(
      { users, groups },
      'ambiguous names, which differ only by case or invisible characters: see "user conflicts" and "group conflicts" of npm run admin',
    );
}

/** Fills new rows without folded columns until it is closed. */
export function watchFoldedNames(db: Database, log: Logger): { close(): Promise<void> } {
  let running: Promise<void> | undefined;
  const run = async () => {
    try {
      if ((await fillFoldedNames(db)) > 0) await warnOfAmbiguousNames(db, log);
    } catch (error) {
      if (!isUnavailable(error)) log.error({ err: error }, 'failed to fold names');
    }
  };
  const timer = setInterval(() => {
    running ??= run().finally(() => {
      running = undefined;
    });
  }, INTERVAL).unref();
  return {
    async close() {
      clearInterval(timer);
      await running;
    },
  };
}

type Progress = (rows: number) => void;

async function fillAll(db: Database, fill: Fill, progress: Progress): Promise<number> {
  for (let [count, after] = [0, 0]; ; ) {
    const filled = await underLock(db, fill, after);
    count += filled.count;
    progress(count);
    after = filled.last; // the index still contains entries of filled rows
    if (filled.count < CHUNK) return count;
  }
}

/** Fills a chunk under the lock. Repeats it if a name was taken in between; then it is found as taken. */
async function underLock(db: Database, fill: Fill, after: number): Promise<Filled> {
  for (;;) {
    try {
      return await byIndex(db, async (transaction) => {
        await db.query('select pg_advisory_xact_lock($1)', [LOCK], transaction);
        return fill(db, transaction, after);
      });
    } catch (error) {
      if (violatedConstraint(error) === undefined) throw error;
    }
  }
}

/** Runs statements in a transaction that uses the partial indexes regardless of statistics. */
function byIndex<T>(db: Database, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  return db.transaction(async (transaction) => {
    await db.query(onlyByIndex, [], transaction);
    return work(transaction);
  });
}
