import type { Client } from 'pg';
import { StartError } from '../protocol/errors.ts';
import { compatibleFrom, sqlOf, versionOf } from './migrationFiles.ts';

/*
 * The version of the schema: N is the schema after the migrations up to number N. A node also works with newer
 * versions, so that nodes can be replaced one after another, unless a migration declares otherwise:
 *
 *     -- compatible from: 0020
 *
 * on a line of its own means that from then on only nodes that know version 20 work with the schema, for example
 * because the migration drops a column that version 19 still reads. The database stores the highest of these numbers as
 * `compat_version`, from the first part of such a migration on, and a node that knows less refuses to start. So an
 * incompatible change takes two releases: the first stops using what the second removes.
 */

export interface SchemaVersion {
  readonly version: number;
  /** The lowest version that a node must know. */
  readonly compatVersion: number;
}

/** Runs a statement without parameters, on a connection or a pool, and returns its rows. */
export type Select = <Row extends object>(text: string) => Promise<Row[]>;

/** Returns a function that runs statements on a connection. */
export const on =
  (client: Client): Select =>
  async <Row extends object>(text: string) =>
    (await client.query<Row>(text)).rows;

/** Returns whether a table exists. */
export async function hasTable(select: Select, name: string): Promise<boolean> {
  const [row] = await select<{ table: string | null }>(`select to_regclass('${name}')::text as "table"`);
  return row?.table != null;
}

/** Reads the version of the schema; undefined if the schema is too old to contain it. */
export async function readVersion(select: Select): Promise<SchemaVersion | undefined> {
  if (!(await hasTable(select, 'schema_version'))) return undefined;
  const [row] = await select<SchemaVersion>(
    'select version, compat_version as "compatVersion" from schema_version',
  );
  return row;
}

/** Stores the version that results from executed migrations and those under way. */
export async function writeVersion(
  client: Client,
  folder: string,
  executed: readonly string[],
  underWay: readonly string[] = [],
): Promise<void> {
  if (!(await hasTable(on(client), 'schema_version'))) return;
  const compatible = await Promise.all(
    [...executed, ...underWay].map(async (name) => compatibleFrom(await sqlOf(folder, name))),
  );
  await client.query(write, [Math.max(0, ...executed.map(versionOf)), Math.max(1, ...compatible)]);
}

/** Returns the error for a schema that requires a newer server. */
export const tooOld = ({ version, compatVersion }: SchemaVersion, own: number): StartError =>
  new StartError(
    `The database has schema version ${version}, which works with servers that know version ${compatVersion} or later; this one knows ${own}. Start a newer version of the server.`,
  );

const write = `
insert into schema_version (version, compat_version) values ($1, $2)
on conflict (only_row) do update set version = excluded.version, compat_version = excluded.compat_version
`;
