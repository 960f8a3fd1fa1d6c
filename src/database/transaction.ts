import { setTimeout as delay } from 'node:timers/promises';
import { QueryTypes, type Sequelize, type Transaction } from 'sequelize';
import { isRefusedByServer, isUnavailable } from './failures.ts';
import { QuietTransaction } from './QuietTransaction.ts';

/** Milliseconds for which a transaction waits to learn what became of it, and between two questions. */
const PATIENCE = 2_000;
const PAUSE = 200;

/**
 * Runs `work` in a transaction, which is rolled back when it throws, and calls `committed` once as soon as it is known
 * that it was committed. Where the connection is lost between the COMMIT and its answer, the database is asked what
 * became of the transaction (`pg_xact_status`): for a moment before this rejects, and in the background until it says.
 * So what was committed is always published, also where the caller was told that the database is away. `closed` ends
 * the asking.
 */
export async function runTransaction<T>(
  sequelize: Sequelize,
  work: (transaction: Transaction) => Promise<T>,
  committed: (result: T) => void,
  closed: AbortSignal,
): Promise<T> {
  const transaction = await QuietTransaction.begin(sequelize);
  let result: T;
  let xid: string | null;
  try {
    result = await work(transaction);
    xid = await assignedXid(sequelize, transaction);
  } catch (error) {
    await transaction.rollback().catch(() => {}); // a connection that is lost rolls back by itself
    throw error;
  }
  try {
    await transaction.commit();
  } catch (error) {
    if (xid === null || isRefusedByServer(error)) throw error;
    const outcome = isCommitted(sequelize, xid, closed).then((was) => {
      if (was) committed(result);
      return was;
    });
    if (await Promise.race([outcome, delay(PATIENCE, false, { ref: false })])) return result;
    throw error;
  }
  committed(result);
  return result;
}

/** The number of a transaction that has written something. */
async function assignedXid(sequelize: Sequelize, transaction: Transaction): Promise<string | null> {
  const [row] = await sequelize.query<{ xid: string | null }>(
    'select pg_current_xact_id_if_assigned()::text as xid',
    { type: QueryTypes.SELECT, transaction },
  );
  return row?.xid ?? null;
}

/** Asks whether a transaction was committed until the database says so; false where it cannot know. */
async function isCommitted(sequelize: Sequelize, xid: string, closed: AbortSignal): Promise<boolean> {
  while (!closed.aborted) {
    try {
      const [row] = await sequelize.query<{ status: string | null }>(
        'select pg_xact_status($1::xid8) as status',
        { bind: [xid], type: QueryTypes.SELECT },
      );
      if (row?.status !== 'in progress') return row?.status === 'committed';
    } catch (error) {
      if (!isUnavailable(error)) return false; // a database that was restored: the number means nothing to it
    }
    await delay(PAUSE, undefined, { ref: false });
  }
  return false;
}
