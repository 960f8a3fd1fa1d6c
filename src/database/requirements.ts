import { StartError } from '../protocol/errors.ts';
import type { Database } from './database.ts';

/** The oldest PostgreSQL that supports the statements. */
const MIN_VERSION = 15;

/**
 * Throws a {@link StartError} with the remedy if the database can never be used. Resolves to a sentence if it cannot be
 * used at the moment.
 */
export async function checkRequirements(database: Database): Promise<string | undefined> {
  const [properties] = await database.query<Facts>(readFacts, []);
  const { version, versionNumber, encoding, name, isStandby, isReadOnly } = properties as Facts;
  if (versionNumber < MIN_VERSION * 10_000)
    throw new StartError(
      `The database is PostgreSQL ${version}; expected ${MIN_VERSION} or later. Upgrade it, or set DATABASE_URL to another one.`,
    );
  if (encoding !== 'UTF8')
    throw new StartError(
      `The database "${name}" has the encoding ${encoding}, which cannot store every message; expected UTF8. Create another one, such as with: create database parley template template0 encoding 'UTF8' locale 'C.UTF-8'; and set DATABASE_URL to it.`,
    );
  if (isStandby)
    return 'The database is a read-only standby. Set DATABASE_URL to its primary server, or promote it.';
  if (isReadOnly)
    return `The database "${name}" is read-only (default_transaction_read_only), for example because its disk is full. Remove the cause, and set it to off.`;
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
