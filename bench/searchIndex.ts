import { pause } from './load.ts';
import type { Target } from './targets.ts';

/** Messages that a target has not taken into its search index yet, as the server says. */
export async function searchLag({ nodes: [node] }: Target): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${node?.port}/metrics`)).text();
  return Number(/^parley_search_lag_messages (\S+)$/m.exec(text)?.[1]);
}

/** Milliseconds after which the server surely knows of the last messages. */
const NOTICE = 500;
/** Milliseconds to wait for the index. */
const PATIENCE = 120_000;

/** Waits until all messages are in the search index. */
export async function settled(target: Target): Promise<void> {
  await pause(NOTICE);
  const start = performance.now();
  while ((await searchLag(target)) > 0) {
    if (performance.now() - start > PATIENCE) throw new Error('the search index does not catch up');
    await pause(100);
  }
}

/** Bytes of write-ahead log in a second up to which nothing is going on in a database. */
const SILENCE = 16_384;

/** Waits until all messages are in the search index and nothing is done behind them any more. */
export async function quiet(target: Target): Promise<void> {
  await settled(target);
  const { database } = target;
  const start = performance.now();
  for (let last = 0, now = await database.walBytes(); now - last > SILENCE; ) {
    if (performance.now() - start > PATIENCE) throw new Error('the database does not come to rest');
    await pause(1000);
    [last, now] = [now, await database.walBytes()];
  }
}

/** Keeps the indexer out, on all nodes, while something is done. */
export async function withoutIndexer<T>(
  { database: { client } }: Target,
  work: () => Promise<T>,
): Promise<T> {
  await client.query('begin');
  await client.query('select from message_search_progress for update');
  try {
    return await work();
  } finally {
    await client.query('commit');
  }
}

/** Moves what is pending into the indexes for words, as vacuum would do sooner or later. */
export async function mergePending({ database: { client } }: Target): Promise<void> {
  await client.query(
    `select gin_clean_pending_list(pg_class.oid) from pg_class join pg_am on pg_am.oid = relam
     where amname = 'gin' and relnamespace = 'public'::regnamespace`,
  );
}
