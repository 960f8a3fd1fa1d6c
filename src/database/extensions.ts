import type { Client } from 'pg';
import pg from 'pg';
import { StartError } from '../protocol/errors.ts';

const CREATES = /^create extension if not exists (\w+);/gm;

/**
 * insufficient_privilege, and the codes for an extension that is not installed on the machine or not allowed by a
 * provider.
 */
const CANNOT = /^(42501|0A000|58P01)$/;

/** Returns the extensions that the SQL of a migration creates. */
export const extensionsIn = (sql: string): string[] =>
  [...sql.matchAll(CREATES)].map(([, name]) => name as string);

/**
 * Creates missing extensions within a transaction. If that is not possible, throws a {@link StartError} with the
 * statements that an administrator has to run.
 */
export async function createExtensions(client: Client, names: readonly string[]): Promise<void> {
  const missing: string[] = [];
  let reason = '';
  for (const name of names) {
    await client.query('savepoint extension');
    try {
      await client.query(`create extension if not exists ${name}`);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError && CANNOT.test(error.code ?? ''))) throw error;
      await client.query('rollback to savepoint extension');
      missing.push(name);
      reason = error.message;
    }
  }
  if (missing.length > 0)
    throw new StartError(
      `The database "${client.database}" lacks extensions that this role cannot create (${reason}). Let an administrator run in it: ${missing.map((name) => `create extension ${name};`).join(' ')} They come with PostgreSQL, in some distributions as the package postgresql-contrib.`,
    );
  await assertVisible(client, names);
}

async function assertVisible(client: Client, names: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ name: string; schema: string }>(hiddenExtensions, [names]);
  const [hidden] = rows;
  if (hidden)
    throw new StartError(
      `The extension "${hidden.name}" of the database "${client.database}" is in the schema "${hidden.schema}", which search_path does not contain. Run: alter database "${client.database}" set search_path = public, "${hidden.schema}";`,
    );
}

const hiddenExtensions = `
select extname as name, nspname as schema
from pg_extension join pg_namespace on pg_namespace.oid = extnamespace
where extname = any($1) and nspname <> all(current_schemas(true))
order by extname
`;
