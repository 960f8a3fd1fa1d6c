import type { Client } from 'pg';
import type { Umzug } from 'umzug';
import { StartError } from '../protocol/errors.ts';
import type { Database } from './database.ts';
import { createExtensions, extensionsIn } from './extensions.ts';
import { FOLDER, namesIn, partsOf, sqlOf, versionOf } from './migrationFiles.ts';
import { retryWhileLocked, underLock, type WaitingOptions } from './migrationLock.ts';
import { runParts } from './migrationParts.ts';
import {
  hasTable,
  on,
  readVersion,
  type SchemaVersion,
  type Select,
  tooOld,
  writeVersion,
} from './schemaVersion.ts';

/*
 * Migrates the schema to the version of this server (see schemaVersion.ts) with the files in `migrations/` (for their
 * form see migrationFiles.ts). One node migrates at a time (migrationLock.ts), one migration after another and each in
 * parts (migrationParts.ts): completed parts stay if a later one is refused or interrupted.
 */

export interface MigrationOptions extends WaitingOptions {
  /** The folder of the migrations; those of this server by default. */
  readonly folder?: string;
  /** Milliseconds between two lines of the log that say how far a migration is. */
  readonly reportEvery?: number;
}

export interface MigrationStatus {
  readonly executed: string[];
  readonly pending: string[];
  /** The migration that runs or was interrupted, with the prefix `down/` if it is being undone. */
  readonly underWay: string | undefined;
  /** Undefined if the schema is too old to contain its version. */
  readonly schema: SchemaVersion | undefined;
}

/**
 * Migrates the schema; returns the names of the migrations that ran. A schema that is newer than this server stays
 * unchanged. Throws a {@link StartError} if it requires newer servers, or if its tables cannot be locked.
 */
export async function migrate(database: Database, options: MigrationOptions = {}): Promise<string[]> {
  // Most starts have nothing to migrate, and need no connection of their own to see that; errors are those of the second.
  if (await isUpToDate((text) => database.query(text, []), options).catch(() => false)) return [];
  return onOwnConnection(database, async (client) => {
    if (await isUpToDate(on(client), options)) return [];
    return underLock(database, options, async () => {
      if (await isUpToDate(on(client), options)) return []; // another node has migrated it
      const { pending } = await prepare(client, options);
      const names: string[] = [];
      for (const _ of pending) {
        const umzug = await umzugOn(client, database, options);
        const ran = await umzug.up({ step: 1 });
        names.push(...ran.map(({ name }) => name));
      }
      return names;
    });
  });
}

async function isUpToDate(select: Select, { folder = FOLDER, log }: MigrationOptions): Promise<boolean> {
  const { pending, underWay, schema } = await readStatus(select, folder);
  const own = Math.max(0, ...(await namesIn(folder)).map(versionOf));
  if (schema && schema.compatVersion > own) throw tooOld(schema, own);
  if (schema && schema.version > own) {
    log?.info({ ...schema, known: own }, 'schema is newer than this server and compatible with it');
    return true;
  }
  if (underWay?.startsWith('down/'))
    throw new StartError(`The migration ${underWay} was interrupted. Finish it first: npm run migrate:undo`);
  return pending.length === 0;
}

/** Undoes the newest migration; returns its name, or an empty list if there is none. */
export function undoMigration(database: Database, options: MigrationOptions = {}): Promise<string[]> {
  const { folder = FOLDER } = options;
  return onOwnConnection(database, (client) =>
    underLock(database, options, async () => {
      const { underWay, schema } = await prepare(client, options);
      const own = Math.max(0, ...(await namesIn(folder)).map(versionOf));
      if (schema && schema.version > own)
        throw new StartError(
          `The schema has version ${schema.version}, but this server knows only ${own}: the newest migration is unknown. Use a newer version of the server.`,
        );
      if (underWay && !underWay.startsWith('down/'))
        throw new StartError(
          `The migration ${underWay} was interrupted. Finish it first: npm run migrate:start`,
        );
      const umzug = await umzugOn(client, database, options);
      return (await umzug.down()).map(({ name }) => name);
    }),
  );
}

/** Returns the executed and the pending migrations. */
export const migrationStatus = (database: Database, { folder = FOLDER } = {}): Promise<MigrationStatus> =>
  onOwnConnection(database, (client) => readStatus(on(client), folder));

async function onOwnConnection<T>(database: Database, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await database.dedicated();
  try {
    return await work(client);
  } catch (error) {
    const { cause } = error as { cause?: unknown }; // the error that Umzug wraps
    if (cause instanceof StartError) throw cause;
    throw isForbidden(error) ? forbidden(error, client) : error;
  } finally {
    await client.end();
  }
}

/** Returns true for insufficient_privilege, and for invalid_schema_name if there is no schema for tables. */
const isForbidden = (error: unknown): boolean => /^(42501|3F000)$/.test(refusalIn(error).code ?? '');

/** Returns the error of PostgreSQL, which Umzug wraps if it is about a migration. */
function refusalIn(error: unknown): { code?: string; message?: string } {
  const { cause } = error as { cause?: unknown };
  return cause instanceof Error ? cause : (error as Error);
}

function forbidden(error: unknown, { database, user }: Client): StartError {
  return new StartError(
    `The role "${user}" is not allowed to migrate the schema of the database "${database}": ${refusalIn(error).message}. Make it the owner of the tables, and let an administrator run in the database: grant create on schema public to "${user}";`,
  );
}

async function readStatus(select: Select, folder: string): Promise<MigrationStatus> {
  const executed = await executedIn(select);
  const progress = (await hasTable(select, 'migration_progress'))
    ? await select<{ name: string }>('select name from migration_progress')
    : [];
  return {
    executed,
    pending: (await namesIn(folder)).filter((name) => !executed.includes(name)),
    underWay: progress[0]?.name,
    schema: await readVersion(select),
  };
}

async function executedIn(select: Select): Promise<string[]> {
  if (!(await hasTable(select, 'migrations'))) return [];
  const rows = await select<{ name: string }>('select name from migrations order by name collate "C"');
  return rows.map(({ name }) => name);
}

/** Creates the tables of the migrations and the extensions that pending ones need. */
async function prepare(client: Client, options: MigrationOptions): Promise<MigrationStatus> {
  const { folder = FOLDER } = options;
  return retryWhileLocked(client, options, async () => {
    await client.query(ownTables);
    const status = await readStatus(on(client), folder);
    const sql = await Promise.all(status.pending.map((name) => sqlOf(folder, name)));
    await createExtensions(client, sql.flatMap(extensionsIn));
    return status;
  });
}

const ownTables = `
create table if not exists migrations (name text primary key, run_at timestamptz not null default now());
-- The unfinished migration: its completed parts and the position in the next one.
create table if not exists migration_progress (
  name     text    primary key,
  part     integer not null,
  position bigint[],
  rows     bigint  not null
);
`;

/** Returns an Umzug whose migrations record their execution themselves, in their last transaction. */
async function umzugOn(
  client: Client,
  database: Database,
  options: MigrationOptions,
): Promise<Umzug<object>> {
  const { Umzug } = await import('umzug'); // slow to load, and most starts have nothing to migrate
  const { folder = FOLDER } = options;
  const run = async (name: string, file: string, note: string) =>
    runParts({
      client,
      database,
      name: file,
      parts: partsOf(await sqlOf(folder, file)),
      options,
      recordBegin: async () => writeVersion(client, folder, await executedIn(on(client)), [name]),
      async recordEnd() {
        const { rowCount } = await client.query(note, [name]);
        if (rowCount !== 1) throw new Error(`The migration ${file} is running elsewhere`);
        await client.query('delete from migration_progress');
        await writeVersion(client, folder, await executedIn(on(client)));
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
      executed: () => executedIn(on(client)),
      logMigration: async () => {},
      unlogMigration: async () => {},
    },
    logger: undefined,
  });
}
