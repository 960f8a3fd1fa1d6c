import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Logger } from 'pino';
import { StartError } from '../protocol/errors.ts';
import type { Database } from './database.ts';
import { ConnectionLostError, isRepeatable } from './failures.ts';

/* The lock under which one node migrates, and the timeouts of waiting for it and for tables in use. */

/** An arbitrary advisory lock, held by the node that migrates. */
const LOCK = 7_275_391;
/** Milliseconds for which a statement waits for a table. Everything queued behind it waits as long. */
const LOCK_TIMEOUT = 1_000;
/**
 * Milliseconds between attempts, in which the queued statements run, and between checks while another node migrates.
 */
const PAUSE = 2_000;
const BUSY_PAUSE = 200;
/**
 * Milliseconds without progress after which a start is refused: less than WORKER_START_SECONDS, so that a worker can
 * report the obstacle before it is killed.
 */
const TIMEOUT = 60_000;
/**
 * Milliseconds between two heartbeats of the lock holder: less than idle_in_transaction_session_timeout, which ends its
 * connection if its process is frozen.
 */
const HEARTBEAT = 5_000;

/** SQL that describes a process of pg_stat_activity for the operator who may have to end it. */
export const processName = `
format('process %s "%s", %s for %s s', pid, application_name, state, extract(epoch from clock_timestamp() - coalesce(xact_start, state_change))::int)
`;

export interface WaitingOptions {
  readonly log?: Logger | undefined;
  /** Milliseconds to wait for tables in use, or for another node that makes no progress. */
  readonly timeout?: number | undefined;
  /** Called every few seconds while a migration runs, here or on another node. */
  readonly alive?: (() => void) | undefined;
}

/**
 * Runs `work` while no other node migrates. The lock belongs to a transaction on a connection of its own, which also
 * works behind poolers and holds no snapshot: creating an index concurrently waits for every transaction that has one.
 * For the same reason the lock is polled instead of waited for in the database. Rejects if the lock is lost; then
 * `work` must not continue.
 */
export async function underLock<T>(
  database: Database,
  options: WaitingOptions,
  work: () => Promise<T>,
): Promise<T> {
  const holder = await database.dedicated();
  let timer: NodeJS.Timeout | undefined;
  try {
    await takeLock(holder, options);
    const lost = new Promise<never>((_, reject) => {
      holder.once('end', () =>
        reject(new ConnectionLostError(new Error('the lock of the migration is lost'))),
      );
      timer = setInterval(() => holder.query('show timezone').then(options.alive, reject), HEARTBEAT); // this statement takes no snapshot
    });
    return await Promise.race([work(), lost]);
  } finally {
    clearInterval(timer);
    await holder.query('rollback').catch(() => {}); // if the connection is lost, so is the lock
    await holder.end();
  }
}

async function takeLock(client: Client, { log, timeout = TIMEOUT, alive }: WaitingOptions): Promise<void> {
  let deadline = performance.now() + timeout;
  let lastSign: string | undefined;
  for (let isFirst = true; ; isFirst = false) {
    await client.query('begin');
    const { rows } = await client.query<{ mine: boolean }>(tryLock);
    if (rows[0]?.mine) return;
    await client.query('rollback');

    const [holder] = (await client.query<Holder>(lockHolder, [LOCK])).rows;
    const now = performance.now();
    if (holder?.isActive || holder?.sign !== lastSign) {
      deadline = now + timeout;
      lastSign = holder?.sign;
      alive?.();
    }
    const reason = 'another node is migrating it';
    const blockers = holder ? [holder.name] : [];
    if (now > deadline) throw blocked(reason, blockers, timeout);
    if (isFirst) log?.warn({ reason, blockers }, 'waiting to migrate the schema');
    await delay(BUSY_PAUSE);
  }
}

/**
 * Without parameters, because the portal of a statement with parameters keeps its snapshot until the next statement.
 */
const tryLock = `select pg_try_advisory_xact_lock(${LOCK}) as mine`;

interface Holder {
  readonly name: string;
  /** The time of its last statement. */
  readonly sign: string;
  readonly isActive: boolean;
}

const lockHolder = `
select ${processName} as name, query_start::text as sign, state = 'active' as "isActive"
from pg_locks join pg_stat_activity using (pid)
where locktype = 'advisory' and granted and classid = 0 and objid = $1::int::oid and objsubid = 1
  and pg_locks.database = (select oid from pg_database where datname = current_database())
`;

/**
 * Runs a transaction. If it waits for a table for more than a second, it is rolled back, releasing its locks, and
 * retried: otherwise everything queued behind it would wait for as long as the longest read takes. Throws a {@link
 * StartError} with the blocking transactions if that does not succeed within the timeout.
 */
export async function retryWhileLocked<T>(
  client: Client,
  { log, timeout = TIMEOUT }: WaitingOptions,
  work: () => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + timeout;
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await inTransaction(client, work);
    } catch (error) {
      if (!isLocked(error)) throw error;
      const reason = 'other transactions keep its tables locked';
      const blockers = await openTransactionsBeside(client);
      if (performance.now() > deadline) throw blocked(reason, blockers, timeout);
      if (isFirst) log?.warn({ reason, blockers }, 'waiting to migrate the schema');
      await delay(PAUSE);
    }
  }
}

/** Returns true for lock_not_available and for conflicts with another transaction. */
const isLocked = (error: unknown): boolean =>
  (error as { code?: string }).code === '55P03' || isRepeatable(error);

async function inTransaction<T>(client: Client, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    await client.query(`set local statement_timeout = 0; set local lock_timeout = ${LOCK_TIMEOUT}`);
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => {}); // if the connection is lost, so is the transaction
    throw error;
  }
}

function blocked(reason: string, blockers: readonly string[], timeout: number): StartError {
  const names = blockers.length > 0 ? ` (${blockers.join(', ')})` : '';
  return new StartError(
    `The schema could not be migrated within ${timeout / 1000} s: ${reason}${names}. Wait for them or end them (pg_terminate_backend), and start again.`,
  );
}

/** Returns the transactions that have been open for longer than an attempt, oldest first. */
async function openTransactionsBeside(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(openTransactions, [LOCK_TIMEOUT / 1000]);
  return rows.map(({ name }) => name);
}

const openTransactions = `
select ${processName} as name
from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
  and (application_name <> 'parley migration' or state <> 'idle in transaction') -- this one only holds the lock of a node
  and xact_start < clock_timestamp() - make_interval(secs => $1)
order by xact_start
limit 3
`;
