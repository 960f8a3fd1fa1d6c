import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { startEmbeddedPostgres } from '../src/database/embedded.ts';
import { atEnd } from './cleanup.ts';
import { childrenOf, familyTime, signal } from './processes.ts';

/** The embedded PostgreSQL of a target, with the settings of the product and readable costs. */
export interface BenchDatabase {
  readonly url: string;
  /** A separate connection to prepare data and to read counters. */
  readonly client: pg.Client;
  /** Returns the processor time in microseconds of all its processes so far, including ended ones. */
  processorTime(): number;
  /** Returns the bytes of write-ahead log written so far. */
  walBytes(): Promise<number>;
  /** Stops and resumes all its processes, so that an idle database takes no resources from the measured one. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

const walPosition = `select (pg_current_wal_insert_lsn() - '0/0')::text as bytes`;

/** Makes the database load pg_stat_statements at its next start; the setting has to be made on a running server. */
async function loadStatementCounts(folder: string): Promise<void> {
  const postgres = await startEmbeddedPostgres(folder, pino({ level: 'warn' }));
  const client = new pg.Client(postgres.url);
  await client.connect();
  await client.query("alter system set shared_preload_libraries = 'pg_stat_statements'");
  await client.end();
  await postgres.stop();
}

/** Starts a database in a new or existing folder; `countsStatements` loads pg_stat_statements. */
export async function startDatabase(folder: string, countsStatements = false): Promise<BenchDatabase> {
  if (countsStatements) await loadStatementCounts(folder);
  const postgres = await startEmbeddedPostgres(folder, pino({ level: 'warn' }));
  const postmaster = Number(readFileSync(join(folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
  const client = new pg.Client(postgres.url);
  client.on('error', () => {}); // the database has ended
  const thaw = () => {
    for (const pid of [...childrenOf(postmaster), postmaster]) signal(pid, 'SIGCONT');
  };
  const stop = atEnd(async () => {
    thaw();
    await client.end().catch(() => {});
    await postgres.stop();
  });
  await client.connect();
  return {
    url: postgres.url,
    client,
    processorTime: () => familyTime(postmaster),
    walBytes: async () => Number((await client.query(walPosition)).rows[0].bytes),
    freeze() {
      signal(postmaster, 'SIGSTOP'); // first, so that it starts no others
      for (const pid of childrenOf(postmaster)) signal(pid, 'SIGSTOP');
    },
    thaw,
    stop,
  };
}
