import type { Client } from 'pg';
import { Umzug } from 'umzug';
import { StartError } from '../protocol/errors.ts';
import type { Database } from './database.ts';
import { createExtensions, extensionsIn } from './extensions.ts';
import { FOLDER, namesIn, partsOf, sqlOf, versionOf } from './migrationFiles.ts';
import { underLock, type WaitingOptions, withPatience } from './migrationLock.ts';
import { runParts } from './migrationParts.ts';
import { readVersion, type SchemaVersion, tooOld, writeVersion } from './schemaVersion.ts';

/*
 * Brings the schema to the version of this server (see schemaVersion.ts) by what is in `migrations/` (the form of those
 * files: migrationFiles.ts). One node at a time does so (migrationLock.ts), one migration after another and each part of
 * it for itself (migrationParts.ts): what was done stays where a later one is refused or cut off.
 */

export interface MigrationOptions extends WaitingOptions {
  /** Where the migrations are; those of this server by default. */
  readonly folder?: string;
  /** Milliseconds between two lines of the log that say how far a migration is. */
  readonly reportEvery?: number;
}

export interface MigrationStatus {
  readonly executed: string[];
  readonly pending: string[];
  /** The one that runs or was cut off, with `down/` before it where it is taken back. */
  readonly underWay: string | undefined;
  /** Undefined where the schema is older than that. */
  readonly schema: SchemaVersion | undefined;
}

/**
 * Brings the schema up to date; returns the names of the migrations that ran. A schema that is newer than this server
 * stays as it is. Throws a {@link StartError} when it works only with newer servers, or when its tables cannot be had.
 */
export function migrate(database: Database, options: MigrationOptions = {}): Promise<string[]> {
  return onOwnConnection(database, async (client) => {
    if (await isUpToDate(client, options)) return [];
    return underLock(database, options, async () => {
      if (await isUpToDate(client, options)) return []; // by another node
      const { pending } = await prepare(client, options);
      const names: string[] = [];
      for (const _ of pending) {
        const ran = await umzugOn(client, database, options).up({ step: 1 });
        names.push(...ran.map(({ name }) => name));
      }
      return names;
    });
  });
}

async function isUpToDate(client: Client, { folder = FOLDER, log }: MigrationOptions): Promise<boolean> {
  const { pending, underWay, schema } = await readStatus(client, folder);
  const own = Math.max(0, ...(await namesIn(folder)).map(versionOf));
  if (schema && schema.compatVersion > own) throw tooOld(schema, own);
  if (schema && schema.version > own) {
    log?.info({ ...schema, known: own }, 'the schema is newer than this server, which works with it');
    return true;
  }
  if (underWay?.startsWith('down/'))
    throw new StartError(`The migration ${underWay} was cut off. Finish it first: npm run migrate:undo`);
  return pending.length === 0;
}

/** Takes the newest migration back; returns its name, or none when nothing is left. */
export function undoMigration(database: Database, options: MigrationOptions = {}): Promise<string[]> {
  const { folder = FOLDER } = options;
  return onOwnConnection(database, (client) =>
    underLock(database, options, async () => {
      const { underWay, schema } = await prepare(client, options);
      const own = Math.max(0, ...(await namesIn(folder)).map(versionOf));
      if (schema && schema.version > own)
        throw new StartError(
          `The schema has version ${schema.version}, and this server knows ${own}: the newest migration is unknown to it.`,
        );
      if (underWay && !underWay.startsWith('down/'))
        throw new StartError(`The migration ${underWay} was cut off. Finish it first: npm run migrate:start`);
      return (await umzugOn(client, database, options).down()).map(({ name }) => name);
    }),
  );
}

/** Returns the migrations that have run, and those that have not. */
export const migrationStatus = (database: Database, { folder = FOLDER } = {}): Promise<MigrationStatus> =>
  onOwnConnection(database, (client) => readStatus(client, folder));

async function onOwnConnection<T>(database: Database, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await database.dedicated();
  try {
    return await work(client);
  } catch (error) {
    const { cause } = error as { cause?: unknown }; // what Umzug has wrapped
    if (cause instanceof StartError) throw cause;
    throw isForbidden(error) ? forbidden(error, client) : error;
  } finally {
    await client.end();
  }
}

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

async function readStatus(client: Client, folder: string): Promise<MigrationStatus> {
  const executed = await executedOn(client);
  const { rows } = await client.query<{ table: string | null }>(
    `select to_regclass('migration_progress')::text as "table"`,
  );
  const progress =
    rows[0]?.table == null
      ? []
      : (await client.query<{ name: string }>('select name from migration_progress')).rows;
  return {
    executed,
    pending: (await namesIn(folder)).filter((name) => !executed.includes(name)),
    underWay: progress[0]?.name,
    schema: await readVersion(client),
  };
}

async function executedOn(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ table: string | null }>(
    `select to_regclass('migrations')::text as "table"`,
  );
  if (rows[0]?.table == null) return [];
  const executed = await client.query<{ name: string }>(
    'select name from migrations order by name collate "C"',
  );
  return executed.rows.map(({ name }) => name);
}

/** Makes the tables of the migrations and the extensions that pending ones need. */
async function prepare(client: Client, options: MigrationOptions): Promise<MigrationStatus> {
  const { folder = FOLDER } = options;
  return withPatience(client, options, async () => {
    await client.query(ownTables);
    const status = await readStatus(client, folder);
    const sql = await Promise.all(status.pending.map((name) => sqlOf(folder, name)));
    await createExtensions(client, sql.flatMap(extensionsIn));
    return status;
  });
}

const ownTables = `
create table if not exists migrations (name text primary key, run_at timestamptz not null default now());
-- The migration that was begun and has not ended: the parts of it that are done, and how far the next one is.
create table if not exists migration_progress (
  name     text    primary key,
  part     integer not null,
  position bigint[],
  rows     bigint  not null
);
`;

/** Each migration notes itself, in its last transaction, that it has run. */
function umzugOn(client: Client, database: Database, options: MigrationOptions): Umzug<object> {
  const { folder = FOLDER } = options;
  const run = async (name: string, file: string, note: string) =>
    runParts({
      client,
      database,
      name: file,
      parts: partsOf(await sqlOf(folder, file)),
      options,
      noteBegin: async () => writeVersion(client, folder, await executedOn(client), [name]),
      async noteEnd() {
        const { rowCount } = await client.query(note, [name]);
        if (rowCount !== 1) throw new Error(`The migration ${file} goes on elsewhere`);
        await client.query('delete from migration_progress');
        await writeVersion(client, folder, await executedOn(client));
      },
    });
  return new Umzug<object>({
    migrations: async () =>
      (await namesIn(folder)).map((name) => ({
        name,
        up: () => run(name, name, 'insert into migrations (name) values ($1)'),
        down: () => run(name, `down/${name}`, 'delete from migrations where name = $1'),
      })),
    storage: {
      executed: () => executedOn(client),
      logMigration: async () => {},
      unlogMigration: async () => {},
    },
    logger: undefined,
  });
}
