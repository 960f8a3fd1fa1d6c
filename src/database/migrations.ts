import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { QueryTypes, type Transaction } from 'sequelize';
import { Umzug } from 'umzug';
import type { Database } from './database.ts';

const FOLDER = fileURLToPath(new URL('../../migrations', import.meta.url));
/** Any fixed number: what nodes that start at the same time wait on. */
const LOCK = 7_275_391;

export interface MigrationStatus {
  readonly executed: string[];
  readonly pending: string[];
}

/** Brings the schema up to date; returns the names of the migrations that ran. */
export async function migrate(database: Database): Promise<string[]> {
  return underLock(database, async (umzug) => (await umzug.up()).map(({ name }) => name));
}

/** Takes the newest migration back; returns its name, or none when nothing is left. */
export async function undoMigration(database: Database): Promise<string[]> {
  return underLock(database, async (umzug) => (await umzug.down()).map(({ name }) => name));
}

export async function migrationStatus(database: Database): Promise<MigrationStatus> {
  return underLock(database, async (umzug) => ({
    executed: (await umzug.executed()).map(({ name }) => name),
    pending: (await umzug.pending()).map(({ name }) => name),
  }));
}

/** One transaction under an advisory lock: all migrations of a start take effect, or none. */
async function underLock<T>(database: Database, work: (umzug: Umzug<Transaction>) => Promise<T>): Promise<T> {
  const { sequelize } = database;
  return database.transaction(async (transaction) => {
    const query = (sql: string, bind: unknown[] = []) => sequelize.query(sql, { bind, transaction });
    await query('select pg_advisory_xact_lock($1)', [LOCK]);
    await query('set local statement_timeout = 0');
    await query(
      'create table if not exists migrations (name text primary key, run_at timestamptz not null default now())',
    );

    const umzug = new Umzug<Transaction>({
      migrations: {
        glob: ['*.sql', { cwd: FOLDER }],
        resolve: ({ name, path }) => ({
          name: basename(name, '.sql'),
          up: async () => runFile(path as string),
          down: async () => runFile(join(dirname(path as string), 'down', basename(path as string))),
        }),
      },
      context: transaction,
      storage: {
        async executed() {
          const rows = await sequelize.query<{ name: string }>('select name from migrations order by name', {
            type: QueryTypes.SELECT,
            transaction,
          });
          return rows.map(({ name }) => name);
        },
        logMigration: async ({ name }) =>
          void (await query('insert into migrations (name) values ($1)', [name])),
        unlogMigration: async ({ name }) =>
          void (await query('delete from migrations where name = $1', [name])),
      },
      logger: undefined,
    });
    return work(umzug);

    async function runFile(path: string): Promise<void> {
      await sequelize.query(await readFile(path, 'utf8'), { transaction });
    }
  });
}
