import type { Client } from 'pg';

/** The work of PostgreSQL for some calls. */
export interface Work {
  /** Milliseconds. */
  readonly time: number;
  readonly statements: number;
  /** Accessed pages of 8 KiB, in memory or not. */
  readonly buffers: number;
}

const background = `
create temp table background as select distinct queryid from pg_stat_statements where dbid = (
  select oid from pg_database where datname = current_database()
)
`;

const sums = `
select coalesce(sum(total_exec_time), 0) as time, coalesce(sum(calls), 0)::int as statements,
  coalesce(sum(shared_blks_hit + shared_blks_read), 0)::int as buffers
from pg_stat_statements
where dbid = (select oid from pg_database where datname = current_database())
  and queryid not in (select queryid from background) and query not like '%pg_stat_statements%'
`;

/** Reads the cost of a server's statements from pg_stat_statements, excluding its background statements. */
export async function watchStatements(db: Client, idle: () => Promise<void>) {
  await db.query('create extension if not exists pg_stat_statements');
  await db.query('select pg_stat_statements_reset()');
  await idle();
  await db.query(background);
  return {
    begin: () => db.query('select pg_stat_statements_reset()'),
    read: async (): Promise<Work> => (await db.query<Work>(sums)).rows[0] as Work,
  };
}
