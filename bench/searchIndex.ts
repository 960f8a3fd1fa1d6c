import { pause } from './load.ts';
import type { Target } from './targets.ts';

/** Returns the number of messages that are not in the search index of a target yet, by its metrics. */
export async function searchLag({ nodes: [node] }: Target): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${node?.port}/metrics`)).text();
  return Number(/^parley_search_lag_messages (\S+)$/m.exec(text)?.[1]);
}

/** Milliseconds after which the metrics include the last messages. */
const NOTICE = 500;
/** Milliseconds to wait for the index. */
const TIMEOUT = 120_000;

/** Waits until all messages are in the search index. */
export async function settled(target: Target): Promise<void> {
  await pause(NOTICE);
  const start = performance.now();
  while ((await searchLag(target)) > 0) {
    if (performance.now() - start > TIMEOUT) throw new Error('the search index is still behind');
    await pause(100);
  }
}

/** Bytes of write-ahead log per second up to which a database counts as idle. */
const IDLE_BYTES = 16_384;

/** Waits until all messages are in the search index and all background work has ended. */
export async function quiet(target: Target): Promise<void> {
  await settled(target);
  const { database } = target;
  const start = performance.now();
  for (let last = 0, now = await database.walBytes(); now - last > IDLE_BYTES; ) {
    if (performance.now() - start > TIMEOUT) throw new Error('the database is still busy');
    await pause(1000);
    [last, now] = [now, await database.walBytes()];
  }
}

/** Runs `work` while the indexer is stopped on all nodes. */
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

/** Moves pending entries into the word indexes, as vacuum would do later. */
export async function mergePending({ database: { client } }: Target): Promise<void> {
  await client.query(
    `select gin_clean_pending_list(pg_class.oid) from pg_class join pg_am on pg_am.oid = relam
     where amname = 'gin' and relnamespace = 'public'::regnamespace`,
  );
}
