import { StartError } from '../protocol/errors.ts';
import type { Database } from './database.ts';

/** The oldest PostgreSQL that has what the statements need. */
const MIN_VERSION = 15;

/**
 * Throws a {@link StartError} with the remedy where the database is of a kind that cannot work. Resolves to a sentence
 * where it only cannot now.
 */
export async function checkRequirements(database: Database): Promise<string | undefined> {
  const [facts] = await database.query<Facts>(readFacts, []);
  const { version, versionNumber, encoding, name, isStandby, isReadOnly } = facts as Facts;
  if (versionNumber < MIN_VERSION * 10_000)
    throw new StartError(
      `The database is PostgreSQL ${version}; expected ${MIN_VERSION} or later. Upgrade it, or set DATABASE_URL to another one.`,
    );
  if (encoding !== 'UTF8')
    throw new StartError(
      `The database "${name}" has the encoding ${encoding}, in which not every message can be stored; expected UTF8. Make another one, such as with: create database parley template template0 encoding 'UTF8' locale 'C.UTF-8'; and set DATABASE_URL to it.`,
    );
  if (isStandby)
    return 'The database is a standby, on which nothing can be written. Set DATABASE_URL to its primary server, or promote it.';
  if (isReadOnly)
    return `The database "${name}" is read-only (default_transaction_read_only), as where its disk is full. Find out why, and set it to off.`;
  return undefined;
}

interface Facts {
  readonly version: string;
  readonly versionNumber: number;
  readonly encoding: string;
  readonly name: string;
  readonly isStandby: boolean;
  readonly isReadOnly: boolean;
}

const readFacts = `
select current_setting('server_version') as version, current_setting('server_version_num')::int as "versionNumber",
  current_setting('server_encoding') as encoding, current_database() as name, pg_is_in_recovery() as "isStandby",
  current_setting('default_transaction_read_only')::boolean as "isReadOnly"
`;
