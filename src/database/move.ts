import type { Client } from 'pg';
import { StartError } from '../protocol/errors.ts';
import type { Database } from './database.ts';
import { migrate, migrationStatus } from './migrations.ts';
import { reasonOf } from './outages.ts';

/** A table that has been copied. */
export interface CopiedTable {
  readonly table: string;
  readonly rows: number;
}

/** Rows per statement. */
const SLICE = 500;

/**
 * Tables that are not copied: those that describe the schema, and the runs of the other PostgreSQL, whose cursors are
 * invalid in the target.
 */
const NOT_COPIED = ['migrations', 'migration_progress', 'schema_version', 'database_runs'];

/**
 * Copies everything from a database that nobody else uses into one without accounts, in one transaction of the target:
 * if this throws or the process ends, the target has no accounts. Migrates both. Yields each copied table.
 *
 * Transaction ids mean nothing in another PostgreSQL. All rows get the id 3, the lowest one: every snapshot of the
 * target has seen them.
 */
export async function* moveDatabase(source: Database, target: Database): AsyncGenerator<CopiedTable> {
  await migrateBoth(source, target);
  const from = await source.dedicated();
  const to = await target.dedicated();
  try {
    await from.query(beginReading);
    await from.query(withoutTimeout);
    await to.query('begin');
    await to.query(withoutTimeout);
    await to.query('lock table users in access exclusive mode');
    await assertNoAccounts(to);
    const tables = await tablesOf(from);
    await to.query(`truncate ${tables.join(', ')}`);
    for (const table of tables) yield await copyTable(from, to, table);
    await copySequences(from, to);
    await to.query('commit');
    await to.query('analyze');
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(
      `The move failed: ${reasonOf(error)}. Repeat it: the target contains either no accounts or everything.`,
    );
  } finally {
    await Promise.all([from, to].map((client) => client.end().catch(() => {})));
  }
}

const beginReading = 'begin isolation level repeatable read read only';
/** One side waits while the other works. */
const withoutTimeout = 'set local idle_in_transaction_session_timeout = 0';

async function migrateBoth(source: Database, target: Database): Promise<void> {
  await assertOwnTables(target);
  await migrate(source);
  await migrate(target);
  const [there, here] = [await migrationStatus(source), await migrationStatus(target)];
  if (there.executed.join() !== here.executed.join())
    throw new StartError(
      'The schema of the target differs from that of the embedded database. Expected an empty database, such as a new one: create database parley;',
    );
}

/** Throws if the schema of the target contains tables of another application. */
async function assertOwnTables(target: Database): Promise<void> {
  const [found] = await target.query<{ tables: number; isOwn: boolean }>(countTables, []);
  if (found && found.tables > 0 && !found.isOwn)
    throw new StartError(
      'The target contains tables of another application. Expected an empty database, such as a new one: create database parley;',
    );
}

const countTables = `
select count(*)::int as tables, to_regclass('migrations') is not null as "isOwn"
from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')
  and not exists (select from pg_depend where objid = pg_class.oid and deptype = 'e') -- of extensions
`;

async function assertNoAccounts(to: Client): Promise<void> {
  const { rows } = await to.query<{ accounts: boolean }>('select exists (select from users) as accounts');
  if (rows[0]?.accounts)
    throw new StartError(
      'The target contains accounts already. Expected an empty database, such as a new one: create database parley;',
    );
}

/** Returns the names of the tables, quoted where necessary, in the order in which they can be filled. */
async function tablesOf(from: Client): Promise<string[]> {
  const { rows } = await from.query<{ name: string }>(tablesInOrder, [NOT_COPIED]);
  return rows.map(({ name }) => name);
}

/** Lists the tables so that each one comes after those that its foreign keys refer to. */
const tablesInOrder = `
with recursive own as (
  select oid, relname from pg_class
  where relnamespace = current_schema()::regnamespace and relkind = 'r' and relname <> all ($1::text[])
), level (oid, depth) as (
  select oid, 0 from own
  union
  select conrelid, depth + 1 from level join pg_constraint on confrelid = level.oid and contype = 'f'
  where conrelid <> confrelid
)
select quote_ident(relname) as name
from own
order by (select max(depth) from level where level.oid = own.oid), relname
`;

/** Copies the rows as text, without the effects of triggers, and compares their numbers. */
async function copyTable(from: Client, to: Client, name: string): Promise<CopiedTable> {
  await to.query(`alter table ${name} disable trigger user`);
  const columns = await columnsOf(to, name);
  await from.query(
    `declare copied no scroll cursor for select copied::text as row from (select ${columns} from ${name}) copied`,
  );
  for (;;) {
    const { rows } = await from.query<{ row: string }>(`fetch ${SLICE} from copied`);
    if (rows.length === 0) break;
    await to.query(
      `insert into ${name} overriding system value select moved.* from unnest($1::${name}[]) as moved`,
      [rows.map(({ row }) => row)],
    );
  }
  await from.query('close copied');
  await to.query(`alter table ${name} enable trigger user`);
  const [expected, rows] = [await countRows(from, name), await countRows(to, name)];
  if (rows !== expected)
    throw new StartError(
      `The table ${name} has ${expected} rows, but ${rows} were copied. Nothing was moved.`,
    );
  return { table: name, rows };
}

/** Returns the columns of a table as expressions of the source, in the order that they have in the target. */
async function columnsOf(to: Client, table: string): Promise<string> {
  const { rows } = await to.query<{ columns: string }>(columnsInOrder, [table]);
  return rows[0]?.columns ?? '';
}

const columnsInOrder = `
select string_agg(
  case
    when atttypid = 'xid8'::regtype then format('case when %1$I is not null then ''3''::xid8 end as %1$I', attname)
    else quote_ident(attname)
  end, ', ' order by attnum
) as columns
from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped
`;

async function countRows(client: Client, table: string): Promise<number> {
  const { rows } = await client.query<{ count: number }>(`select count(*)::float8 as count from ${table}`);
  return rows[0]?.count ?? 0;
}

/** Lets the target continue with the next ids of the source. */
async function copySequences(from: Client, to: Client): Promise<void> {
  const { rows } = await from.query<{ name: string; last: string }>(sequences);
  for (const { name, last } of rows) await to.query('select setval($1::regclass, $2::bigint)', [name, last]);
}

/** Lists the sequences that have returned a value. */
const sequences = `
select quote_ident(sequencename) as name, last_value::text as last
from pg_sequences where schemaname = current_schema() and last_value is not null
`;
