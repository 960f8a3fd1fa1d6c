import { setTimeout as delay } from 'node:timers/promises';
import { QueryTypes, type Sequelize, type Transaction } from 'sequelize';
import { isRefusedByServer, isUnavailable } from './failures.ts';
import { QuietTransaction } from './QuietTransaction.ts';
import type { UnpublishedTransactions } from './UnpublishedTransactions.ts';

/** Milliseconds for which a transaction waits for its outcome, and between two queries of it. */
const TIMEOUT = 2_000;
const PAUSE = 200;

/**
 * Runs `work` in a transaction, which is rolled back if it throws, and calls `committed` once after the commit. If the
 * connection is lost between COMMIT and its answer, the outcome is queried (`pg_xact_status`): for two seconds before
 * this rejects, and then in the background until it is known. So committed changes are always published, even if the
 * caller received an error. `closed` stops the queries. The transaction counts as `unpublished` until then.
 */
export async function runTransaction<T>(
  sequelize: Sequelize,
  work: (transaction: Transaction) => Promise<T>,
  committed: (result: T) => void,
  closed: AbortSignal,
  unpublished: UnpublishedTransactions,
): Promise<T> {
  const end = unpublished.add();
  let isUnknown = false;
  try {
    const transaction = await QuietTransaction.begin(sequelize);
    let result: T;
    let xid: string | null;
    try {
      result = await work(transaction);
      xid = await assignedXid(sequelize, transaction);
    } catch (error) {
      await transaction.rollback().catch(() => {}); // a lost connection rolls back by itself
      throw error;
    }
    try {
      await transaction.commit();
    } catch (error) {
      if (xid === null || isRefusedByServer(error)) throw error;
      isUnknown = true;
      const outcome = isCommitted(sequelize, xid, closed)
        .then((was) => {
          if (was) committed(result);
          return was;
        })
        .finally(end);
      if (await Promise.race([outcome, delay(TIMEOUT, false, { ref: false })])) return result;
      throw error;
    }
    committed(result);
    return result;
  } finally {
    if (!isUnknown) end();
  }
}

/** Returns the id of a transaction, or null if it has written nothing. */
async function assignedXid(sequelize: Sequelize, transaction: Transaction): Promise<string | null> {
  const [row] = await sequelize.query<{ xid: string | null }>(
    'select pg_current_xact_id_if_assigned()::text as xid',
    { type: QueryTypes.SELECT, transaction },
  );
  return row?.xid ?? null;
}

/**
 * Queries the outcome of a transaction until it is known. Returns true if it was committed, false if not or unknown.
 */
async function isCommitted(sequelize: Sequelize, xid: string, closed: AbortSignal): Promise<boolean> {
  while (!closed.aborted) {
    try {
      const [row] = await sequelize.query<{ status: string | null }>(
        'select pg_xact_status($1::xid8) as status',
        { bind: [xid], type: QueryTypes.SELECT },
      );
      if (row?.status !== 'in progress') return row?.status === 'committed';
    } catch (error) {
      if (!isUnavailable(error)) return false; // a restored database does not know the id
    }
    await delay(PAUSE, undefined, { ref: false });
  }
  return false;
}
