import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Logger } from 'pino';
import { StartError } from '../protocol/errors.ts';
import type { Database } from './database.ts';
import { ConnectionLostError, isRepeatable } from './failures.ts';

/*
 * Who may migrate, and how long one waits: for another node that does, and for tables that others use.
 */

/** Any fixed number: the advisory lock of the one that migrates. */
const LOCK = 7_275_391;
/** Milliseconds that a statement waits for a table: everything behind it waits as long. */
const LOCK_TIMEOUT = 1_000;
/** Milliseconds between attempts, in which what queued up goes on; and while another node migrates. */
const PAUSE = 2_000;
const BUSY_PAUSE = 200;
/** Milliseconds without any progress after which a start is refused: less than WORKER_START_SECONDS, so that a worker lives to say what is in the way. */
const PATIENCE = 60_000;
/** Milliseconds between two signs of life of who holds the lock: less than idle_in_transaction_session_timeout, which ends it where its process is frozen. */
const BEAT = 5_000;

/** A process of pg_stat_activity, for the one who may have to end it. */
export const processName = `
format('process %s "%s", %s for %s s', pid, application_name, state, extract(epoch from clock_timestamp() - coalesce(xact_start, state_change))::int)
`;

export interface WaitingOptions {
  readonly log?: Logger | undefined;
  /** Milliseconds to wait for tables that others use, or for another node that is stuck. */
  readonly patience?: number | undefined;
  /** Called every few seconds while a migration goes on, here or on another node. */
  readonly alive?: (() => void) | undefined;
}

/**
 * Runs `work` while no other node migrates. The lock belongs to a transaction of a connection of its own, which works
 * behind poolers, too, and holds no snapshot: indexes that are made concurrently wait for everybody who has one. For the
 * same reason nobody waits in the database for the lock. Rejects when the lock is lost; then nothing more may be done.
 */
export async function underLock<T>(
  database: Database,
  options: WaitingOptions,
  work: () => Promise<T>,
): Promise<T> {
  const keeper = await database.dedicated();
  let timer: NodeJS.Timeout | undefined;
  try {
    await takeLock(keeper, options);
    const lost = new Promise<never>((_, reject) => {
      keeper.once('end', () =>
        reject(new ConnectionLostError(new Error('the lock of the migration is lost'))),
      );
      timer = setInterval(() => keeper.query('show timezone').then(options.alive, reject), BEAT); // takes no snapshot
    });
    return await Promise.race([work(), lost]);
  } finally {
    clearInterval(timer);
    await keeper.query('rollback').catch(() => {}); // the connection is gone: so is the lock
    await keeper.end();
  }
}

async function takeLock(keeper: Client, { log, patience = PATIENCE, alive }: WaitingOptions): Promise<void> {
  let deadline = performance.now() + patience;
  let lastSign: string | undefined;
  for (let isFirst = true; ; isFirst = false) {
    await keeper.query('begin');
    const { rows } = await keeper.query<{ mine: boolean }>(tryLock);
    if (rows[0]?.mine) return;
    await keeper.query('rollback');

    const [holder] = (await keeper.query<Holder>(lockHolder, [LOCK])).rows;
    if (holder?.isActive || holder?.sign !== lastSign) {
      deadline = performance.now() + patience;
      lastSign = holder?.sign;
      alive?.();
    }
    const reason = 'another node is changing it';
    const blockers = holder ? [holder.name] : [];
    if (performance.now() > deadline) throw blocked(reason, blockers, patience);
    if (isFirst) log?.warn({ reason, blockers }, 'waiting to bring the schema up to date');
    await delay(BUSY_PAUSE);
  }
}

/** Without parameters: the portal of a statement with some keeps its snapshot until the next one. */
const tryLock = `select pg_try_advisory_xact_lock(${LOCK}) as mine`;

interface Holder {
  readonly name: string;
  /** When it last sent something. */
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
 * Runs a transaction. One that has to wait for a table gives way after a second, with all it has locked, and is tried
 * again: what waits behind it would stand still for as long as the longest read takes. Throws a {@link StartError} with
 * those that are in the way where that has not helped within the patience.
 */
export async function withPatience<T>(
  client: Client,
  { log, patience = PATIENCE }: WaitingOptions,
  work: () => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + patience;
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await inTransaction(client, work);
    } catch (error) {
      if (!isLocked(error)) throw error;
      const reason = 'other transactions keep its tables locked';
      const blockers = await openTransactionsBeside(client);
      if (performance.now() > deadline) throw blocked(reason, blockers, patience);
      if (isFirst) log?.warn({ reason, blockers }, 'waiting to bring the schema up to date');
      await delay(PAUSE);
    }
  }
}

/** lock_not_available, or lost against another transaction. */
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
    await client.query('rollback').catch(() => {}); // the connection is gone: so is the transaction
    throw error;
  }
}

function blocked(reason: string, blockers: readonly string[], patience: number): StartError {
  const who = blockers.length > 0 ? ` (${blockers.join(', ')})` : '';
  return new StartError(
    `The schema could not be brought up to date within ${patience / 1000} s: ${reason}${who}. Wait for them or end them (pg_terminate_backend), and start again.`,
  );
}

/** Transactions that are open for longer than an attempt, the oldest first. */
async function openTransactionsBeside(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(openTransactions, [LOCK_TIMEOUT / 1000]);
  return rows.map(({ name }) => name);
}

const openTransactions = `
select ${processName} as name
from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
  and (application_name <> 'parley migration' or state <> 'idle in transaction') -- who only holds the lock of a node
  and xact_start < clock_timestamp() - make_interval(secs => $1)
order by xact_start
limit 3
`;
