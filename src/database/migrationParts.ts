import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Database } from './database.ts';
import { repeatable } from './failures.ts';
import type { Part, Slices } from './migrationFiles.ts';
import { processName, retryWhileLocked, type WaitingOptions } from './migrationLock.ts';
import type { Statement } from './TextQuery.ts';

/** Target duration of a slice in milliseconds, for which its rows are locked. */
const SLICE_TIME = 250;
/** Minimum rows of a slice, even if it takes longer. */
const SMALLEST_SLICE = 50;
/** Milliseconds between two checks of an index that a process of an earlier run is still creating. */
const PAUSE = 1_000;
/** Milliseconds between two log lines with the progress of a migration. */
const REPORT_INTERVAL = 10_000;

/** A running migration in either direction. */
export interface Run {
  readonly client: Client;
  readonly database: Database;
  /** The name in `migration_progress`. */
  readonly name: string;
  readonly parts: readonly Part[];
  readonly options: WaitingOptions & { readonly reportEvery?: number | undefined };
  /** Records in the transaction of the first of several parts that the migration has begun. */
  recordBegin(): Promise<void>;
  /** Records in the transaction of the last part that the migration is complete. */
  recordEnd(): Promise<void>;
}

/** Progress of a migration that has not ended. */
interface Progress {
  /** Number of completed parts. */
  readonly part: number;
  /** The last key of the last slice of the next part. */
  readonly position: readonly string[] | null;
  readonly rows: number;
}

/** Runs a migration, from where it was interrupted if it was. */
export async function runParts(run: Run): Promise<void> {
  const { rows } = await run.client.query<Progress>(readProgress, [run.name]);
  let progress = rows[0] ?? { part: 0, position: null, rows: 0 };
  for (;;) {
    const part = run.parts[progress.part];
    if (!part) return;
    if (part.kind === 'slices') progress = await runSlices(run, part, progress);
    else if (part.kind === 'concurrently') progress = await runConcurrently(run, part.statements, progress);
    else
      progress = await retryWhileLocked(run.client, run.options, async () => {
        await run.client.query(part.sql);
        return endPart(run, progress);
      });
  }
}

/** Records the end of a part in its transaction. */
async function endPart(run: Run, from: Progress): Promise<Progress> {
  const to = { part: from.part + 1, position: null, rows: 0 };
  if (to.part === run.parts.length) await run.recordEnd();
  else await recordProgress(run, from, to);
  if (from.part === 0 && to.part < run.parts.length) await run.recordBegin();
  return to;
}

async function recordProgress({ client, name }: Run, from: Progress, to: Progress): Promise<void> {
  const values = [name, to.part, to.position, to.rows, from.part, from.position];
  const { rowCount } = await client.query(writeProgress, values);
  if (rowCount !== 1) throw new Error(`The migration ${name} is running elsewhere`);
}

const readProgress = `
select part, position::text[] as position, rows from migration_progress where name = $1
`;

const writeProgress = `
insert into migration_progress (name, part, position, rows) values ($1, $2, $3, $4)
on conflict (name) do update set part = excluded.part, position = excluded.position, rows = excluded.rows
where migration_progress.part = $5 and migration_progress.position is not distinct from $6::bigint[]
`;

async function runSlices(run: Run, part: Slices, start: Progress): Promise<Progress> {
  const { client, options } = run;
  const next = nextSlice(part);
  let { size } = part;
  let progress = start;
  const report = async () => {
    const [table] = await run.database.query<{ rows: number }>(estimatedRows, [part.table]);
    return [{ table: part.table, rows: progress.rows, of: table?.rows }];
  };
  return reporting(run, report, async () => {
    while (progress.part === start.part) {
      const begin = performance.now();
      progress = await retryWhileLocked(client, options, async () => {
        await client.query(onlyByKey);
        const after = progress.position ?? part.key.map(() => '0');
        const { rows } = await client.query<{ last: string[] | null }>(next, [...after, size]);
        const last = rows[0]?.last;
        if (!last) return endPart(run, progress);
        await client.query(part.sql, [...after, ...last]);
        const done = { ...progress, position: last, rows: progress.rows + size };
        await recordProgress(run, progress, done);
        return done;
      });
      const took = performance.now() - begin;
      size = Math.ceil(Math.min(part.size, Math.max(SMALLEST_SLICE, (size * SLICE_TIME) / took)));
    }
    return progress;
  });
}

/** Returns a statement for the last key of the next $n rows after the key $1, $2, …, or null if no rows are left. */
function nextSlice({ table, key }: Slices): string {
  const placeholders = key.map((_, index) => `$${index + 1}`);
  const rows = `from ${table} where (${key}) > (${placeholders}) order by`;
  const last = `array[${key}]::text[]`;
  return `
select coalesce(
  (select ${last} ${rows} ${key} offset $${key.length + 1}::bigint - 1 limit 1),
  (select ${last} ${rows} ${key.map((column) => `${column} desc`)} limit 1)
) as last
`;
}

/** Settings like those of the writer, so that a slice never scans a whole table. */
const onlyByKey = `
set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off
`;

const estimatedRows = `
select reltuples::bigint as rows from pg_class where oid = to_regclass($1)
`;

const CREATES = /^\s*create (?:unique )?index concurrently (?:if not exists )?(\w+)/im;

async function runConcurrently(
  run: Run,
  statements: readonly string[],
  progress: Progress,
): Promise<Progress> {
  await reporting(
    run,
    () => run.database.query(statementsUnderWay, []),
    async () => {
      for (const statement of statements)
        await repeatable(() => runOutsideTransaction(run.client, statement));
    },
  );
  return retryWhileLocked(run.client, run.options, () => endPart(run, progress));
}

/** Runs a statement outside of a transaction, so that while it waits for other transactions it blocks nothing. */
async function runOutsideTransaction(client: Client, text: string): Promise<void> {
  const [, index] = CREATES.exec(text) ?? [];
  if (index && (await isIndexValid(client, index))) return;
  const statement: Statement = { text, outsideTransaction: true };
  await client.query(statement);
}

/** Returns true if the index exists and is valid, after waiting if it is being created. Drops an invalid index. */
async function isIndexValid(client: Client, index: string): Promise<boolean> {
  for (;;) {
    const { rows } = await client.query<{ isValid: boolean; isUnderWay: boolean }>(indexState, [index]);
    const [state] = rows;
    if (!state || state.isValid) return state !== undefined;
    const drop: Statement = { text: `drop index concurrently if exists ${index}`, outsideTransaction: true };
    if (state.isUnderWay) await delay(PAUSE);
    else await client.query(drop);
  }
}

const indexState = `
select indisvalid as "isValid",
  exists (select from pg_stat_progress_create_index progress where progress.index_relid = indexrelid) as "isUnderWay"
from pg_index
where indexrelid = to_regclass($1)
`;

/**
 * The statements of the migrating process, or of an earlier one whose node was killed, with the processes they wait
 * for.
 */
const statementsUnderWay = `
select coalesce(index_relid::regclass::text, left(query, 100)) as statement, phase,
  round(100.0 * coalesce(tuples_done::numeric / nullif(tuples_total, 0), blocks_done::numeric / nullif(blocks_total, 0))) as percent,
  array(select ${processName} from pg_stat_activity where pid = any (pg_blocking_pids(migration.pid))) as "waitsFor"
from pg_stat_activity migration
left join pg_stat_progress_create_index progress using (pid)
where migration.datname = current_database() and application_name = 'parley migration' and state = 'active'
`;

/** Logs the progress periodically while `work` runs. */
async function reporting<T>(
  { name, options: { log, reportEvery = REPORT_INTERVAL } }: Run,
  read: () => Promise<object[]>,
  work: () => Promise<T>,
): Promise<T> {
  const report = async () => {
    for (const fields of await read()) log?.info({ migration: name, ...fields }, 'migrating');
  };
  const timer = setInterval(() => report().catch(() => {}), reportEvery); // the work itself reports failures
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
