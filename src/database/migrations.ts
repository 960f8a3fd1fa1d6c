import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Client } from 'pg';
import type { Logger } from 'pino';
import { Umzug } from 'umzug';
import { StartError } from '../errors.ts';
import type { Database } from './database.ts';
import { createExtensions, extensionsIn } from './extensions.ts';

/*
 * The schema and its versions. Version N is what the migrations up to number N make. A node works with newer versions,
 * too, so that nodes can be replaced one after another, unless a migration says otherwise:
 *
 *     -- compatible from: 0020
 *
 * in a line of its own means that only nodes that know version 20 work with the schema from then on: such as one that
 * drops a column which version 19 still reads. The database keeps the highest of these numbers as `compat_version`, and
 * a node that knows less refuses to start. So a change that breaks nodes takes two releases: the first one stops using
 * what the second one takes away.
 */

const FOLDER = fileURLToPath(new URL('../../migrations', import.meta.url));
/** Any fixed number: what nodes that start at the same time wait on. */
const LOCK = 7_275_391;
/** Milliseconds that a statement waits for a table: everything behind it waits as long. */
const LOCK_TIMEOUT = 1_000;
/** Milliseconds between attempts, in which what queued up goes on; and while another node migrates. */
const PAUSE = 2_000;
const BUSY_PAUSE = 200;
/** Milliseconds for which attempts of a migration are made: less than WORKER_START_SECONDS, so that a worker lives to say what is in the way. */
const PATIENCE = 60_000;

const COMPATIBLE_FROM = /^-- compatible from: (\d+)$/m;

export interface MigrationOptions {
  readonly log?: Logger;
  /** Milliseconds to wait for tables that others use, or for another node that migrates. */
  readonly patience?: number;
}

export interface MigrationStatus {
  readonly executed: string[];
  readonly pending: string[];
  /** Undefined where the schema is older than that. */
  readonly schema: SchemaVersion | undefined;
}

export interface SchemaVersion {
  readonly version: number;
  /** The least that a node has to know. */
  readonly compatVersion: number;
}

/**
 * Brings the schema up to date; returns the names of the migrations that ran, which are committed one after another. A
 * schema that is newer than this server stays as it is. Throws a {@link StartError} when it works only with newer
 * servers, or when its tables cannot be had: what ran until then stays.
 */
export function migrate(database: Database, options: MigrationOptions = {}): Promise<string[]> {
  return onOwnConnection(database, async (client) => {
    const names: string[] = [];
    for (;;) {
      const ran = await underLock(client, options, (migrations) => migrateOnce(migrations, options));
      if (ran.length === 0) return names;
      names.push(...ran);
    }
  });
}

/** Runs the next migration; returns its name, or none where the schema is up to date. */
async function migrateOnce(
  { umzug, own, schema, prepare, record }: Migrations,
  { log }: MigrationOptions,
): Promise<string[]> {
  if (schema && schema.compatVersion > own) throw tooOld(schema, own);
  if (schema && schema.version > own) {
    log?.info({ ...schema, known: own }, 'the schema is newer than this server, which works with it');
    return [];
  }
  await prepare();
  const ran = await umzug.up({ step: 1 });
  await record();
  return ran.map(({ name }) => name);
}

/** Takes the newest migration back; returns its name, or none when nothing is left. */
export async function undoMigration(database: Database): Promise<string[]> {
  const undo = async ({ umzug, own, schema, record }: Migrations) => {
    if (schema && schema.version > own)
      throw new StartError(
        `The schema has version ${schema.version}, and this server knows ${own}: the newest migration is unknown to it.`,
      );
    const names = (await umzug.down()).map(({ name }) => name);
    await record();
    return names;
  };
  return onOwnConnection(database, (client) => underLock(client, {}, undo));
}

export async function migrationStatus(database: Database): Promise<MigrationStatus> {
  const read = async ({ umzug, schema }: Migrations) => ({
    executed: (await umzug.executed()).map(({ name }) => name),
    pending: (await umzug.pending()).map(({ name }) => name),
    schema,
  });
  return onOwnConnection(database, (client) => underLock(client, {}, read));
}

async function onOwnConnection<T>(database: Database, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await database.dedicated();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function tooOld({ version, compatVersion }: SchemaVersion, own: number): StartError {
  return new StartError(
    `The database has schema version ${version}, which works with servers that know version ${compatVersion} or later; this one knows ${own}. Start a newer version of the server.`,
  );
}

interface Migrations {
  readonly umzug: Umzug<object>;
  /** The version that this server knows. */
  readonly own: number;
  /** As it was at the beginning. */
  readonly schema: SchemaVersion | undefined;
  /** Makes the extensions that pending migrations need. */
  prepare(): Promise<void>;
  /** Keeps the version that the executed migrations make. */
  record(): Promise<void>;
}

/** Another node is at it. */
class Busy extends Error {}

/**
 * One transaction under an advisory lock. It has one migration at most: what waits for a table that the one before has
 * locked for long, such as the edit of a message while an index is made, keeps those locked that the next one needs. One
 * that has to wait for a table gives way after a second, with all it has locked, and is tried again: what waits behind it
 * would stand still for as long as the longest read takes.
 */
async function underLock<T>(
  client: Client,
  { log, patience = PATIENCE }: MigrationOptions,
  work: (migrations: Migrations) => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + patience;
  let isWaiting = false;
  for (;;) {
    try {
      return await inTransaction(client, work);
    } catch (error) {
      if (isForbidden(error)) throw forbidden(error, client);
      if (!isBlocked(error)) throw error;
      const blockers = await namesOf(client);
      if (performance.now() > deadline) throw blocked(error, blockers, patience);
      if (!isWaiting)
        log?.warn({ reason: reasonOf(error), blockers }, 'waiting to bring the schema up to date');
      isWaiting = true;
      await delay(error instanceof Busy ? BUSY_PAUSE : PAUSE);
    }
  }
}

/** lock_not_available, deadlock_detected and serialization_failure. */
const isBlocked = (error: unknown): boolean =>
  error instanceof Busy || /^(55P03|40P01|40001)$/.test(refusalIn(error).code ?? '');

/** insufficient_privilege, and invalid_schema_name where there is no schema to make tables in. */
const isForbidden = (error: unknown): boolean => /^(42501|3F000)$/.test(refusalIn(error).code ?? '');

/** The error of PostgreSQL about a statement of ours or, wrapped by Umzug, about a migration. */
function refusalIn(error: unknown): { code?: string; message?: string } {
  const { cause } = error as { cause?: unknown };
  return cause instanceof Error ? cause : (error as Error);
}

function forbidden(error: unknown, { database, user }: Client): StartError {
  return new StartError(
    `The role "${user}" may not bring the schema of the database "${database}" up to date: ${refusalIn(error).message}. Let it own the tables, and let an administrator run there: grant create on schema public to "${user}";`,
  );
}

const reasonOf = (error: unknown): string =>
  error instanceof Busy ? 'another node is changing it' : 'other transactions keep its tables locked';

function blocked(error: unknown, blockers: readonly string[], patience: number): StartError {
  const who = blockers.length > 0 ? ` (${blockers.join(', ')})` : '';
  return new StartError(
    `The schema could not be brought up to date within ${patience / 1000} s: ${reasonOf(error)}${who}. Wait for them or end them (pg_terminate_backend), and start again.`,
  );
}

/** Transactions that are open for longer than an attempt, the oldest first. */
async function namesOf(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(openTransactions, [LOCK_TIMEOUT / 1000]);
  return rows.map(({ name }) => name);
}

const openTransactions = `
select format('process %s "%s", %s for %s s', pid, application_name, state,
  extract(epoch from clock_timestamp() - xact_start)::int) as name
from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
  and xact_start < clock_timestamp() - make_interval(secs => $1)
order by xact_start
limit 3
`;

async function inTransaction<T>(client: Client, work: (migrations: Migrations) => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    const { rows } = await client.query<{ mine: boolean }>('select pg_try_advisory_xact_lock($1) as mine', [
      LOCK,
    ]);
    if (!rows[0]?.mine) throw new Busy();
    await client.query(`set local statement_timeout = 0; set local lock_timeout = ${LOCK_TIMEOUT}`);
    await client.query(
      'create table if not exists migrations (name text primary key, run_at timestamptz not null default now())',
    );
    const result = await work(await migrationsOn(client));
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => {}); // the connection is gone: so is the transaction
    throw error;
  }
}

async function migrationsOn(client: Client): Promise<Migrations> {
  const executed = async () =>
    (await client.query<{ name: string }>('select name from migrations order by name collate "C"')).rows.map(
      ({ name }) => name,
    );
  const run = async (path: string) => void (await client.query(await readFile(path, 'utf8')));
  const umzug = new Umzug<object>({
    migrations: {
      glob: ['*.sql', { cwd: FOLDER }],
      resolve: ({ name, path }) => ({
        name: basename(name, '.sql'),
        up: () => run(path as string),
        down: () => run(join(dirname(path as string), 'down', basename(path as string))),
      }),
    },
    storage: {
      executed,
      logMigration: async ({ name }) =>
        void (await client.query('insert into migrations (name) values ($1)', [name])),
      unlogMigration: async ({ name }) =>
        void (await client.query('delete from migrations where name = $1', [name])),
    },
    logger: undefined,
  });

  return {
    umzug,
    own: Math.max(0, ...(await readdir(FOLDER)).filter((name) => name.endsWith('.sql')).map(versionOf)),
    schema: await readVersion(client),
    async prepare() {
      const pending = await umzug.pending();
      const sql = await Promise.all(pending.map(({ path }) => readFile(path as string, 'utf8')));
      await createExtensions(client, sql.flatMap(extensionsIn));
    },
    async record() {
      const names = await executed();
      if (!(await hasVersion(client))) return;
      const compatible = await Promise.all(
        names.map(async (name) => compatibleFrom(await readFile(join(FOLDER, `${name}.sql`), 'utf8'))),
      );
      await client.query(writeVersion, [Math.max(...names.map(versionOf)), Math.max(1, ...compatible)]);
    },
  };
}

/** The number in front of a migration's name. */
const versionOf = (name: string): number => Number.parseInt(name, 10);

/** The version that a node has to know once the SQL of a migration has run; 0 where it does not say. */
export function compatibleFrom(sql: string): number {
  return Number(COMPATIBLE_FROM.exec(sql)?.[1] ?? 0);
}

/** True if the schema is new enough to know its version. */
async function hasVersion(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ table: string | null }>(
    `select to_regclass('schema_version')::text as "table"`,
  );
  return rows[0]?.table != null;
}

async function readVersion(client: Client): Promise<SchemaVersion | undefined> {
  if (!(await hasVersion(client))) return undefined;
  const { rows } = await client.query<SchemaVersion>(
    'select version, compat_version as "compatVersion" from schema_version',
  );
  return rows[0];
}

const writeVersion = `
insert into schema_version (version, compat_version) values ($1, $2)
on conflict (only_row) do update set version = excluded.version, compat_version = excluded.compat_version
`;
