import { mergePending, quiet, searchLag, settled, withoutIndexer } from '../searchIndex.ts';
import type { Target } from '../targets.ts';
import { costPer, type Figures } from '../usage.ts';
import { writeInPairs } from './writing.ts';

/** Measures the cost of indexing a message: messages are written while the indexer is stopped. */
export async function indexing(target: Target): Promise<Figures> {
  await quiet(target);
  await mergePending(target);
  const newest = async () => Number((await target.database.client.query(newestId)).rows[0].id);
  const last = await newest();
  await withoutIndexer(target, () => writeInPairs(target, 50, 16, 1));
  const count = (await newest()) - last;
  const from = await target.usage();
  const start = performance.now();
  await settled(target);
  const seconds = (performance.now() - start) / 1000;
  await quiet(target);
  await mergePending(target);
  return { messages: count, 'messages/s': count / seconds, ...costPer(count, from, await target.usage()) };
}

const newestId = 'select max(id) as id from messages';

/** Minimum backlog of the index in messages, so that it works during the whole scenario. */
const BACKLOG = 100_000;

/** Ensures that the search index is behind. */
export async function behind(target: Target): Promise<void> {
  while ((await searchLag(target)) < BACKLOG) await writeInPairs(target, 50, 16, 1);
}
