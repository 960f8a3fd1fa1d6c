import type { Client } from 'pg';
import { StartError } from '../protocol/errors.ts';
import { compatibleFrom, sqlOf, versionOf } from './migrationFiles.ts';

/*
 * The version of the schema: N is what the migrations up to number N make. A node works with newer versions, too, so
 * that nodes can be replaced one after another, unless a migration says otherwise:
 *
 *     -- compatible from: 0020
 *
 * in a line of its own means that only nodes that know version 20 work with the schema from then on: such as one that
 * drops a column which version 19 still reads. The database keeps the highest of these numbers as `compat_version`, from
 * the first part of such a migration on, and a node that knows less refuses to start. So a change that breaks nodes
 * takes two releases: the first one stops using what the second one takes away.
 */

export interface SchemaVersion {
  readonly version: number;
  /** The least that a node has to know. */
  readonly compatVersion: number;
}

/** The version of the schema; undefined where it is too old to know it. */
export async function readVersion(client: Client): Promise<SchemaVersion | undefined> {
  if (!(await hasVersion(client))) return undefined;
  const { rows } = await client.query<SchemaVersion>(
    'select version, compat_version as "compatVersion" from schema_version',
  );
  return rows[0];
}

/** Keeps the version that executed migrations make, beside one that is under way. */
export async function writeVersion(
  client: Client,
  folder: string,
  executed: readonly string[],
  underWay: readonly string[] = [],
): Promise<void> {
  if (!(await hasVersion(client))) return;
  const compatible = await Promise.all(
    [...executed, ...underWay].map(async (name) => compatibleFrom(await sqlOf(folder, name))),
  );
  await client.query(write, [Math.max(0, ...executed.map(versionOf)), Math.max(1, ...compatible)]);
}

/** The refusal of a schema that works only with newer servers than this one. */
export const tooOld = ({ version, compatVersion }: SchemaVersion, own: number): StartError =>
  new StartError(
    `The database has schema version ${version}, which works with servers that know version ${compatVersion} or later; this one knows ${own}. Start a newer version of the server.`,
  );

async function hasVersion(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ table: string | null }>(
    `select to_regclass('schema_version')::text as "table"`,
  );
  return rows[0]?.table != null;
}

const write = `
insert into schema_version (version, compat_version) values ($1, $2)
on conflict (only_row) do update set version = excluded.version, compat_version = excluded.compat_version
`;
