import { setImmediate as turn } from 'node:timers/promises';
import type { Database } from '../database/database.ts';
import type { ChatId, MessageId } from '../ids.ts';
import { foldForSearch } from '../text/fold.ts';
import { ALL_PARTS, filterOf } from '../text/parts.ts';
import type { Work } from './indexMessages.ts';
import { nextSegments, writeSegments } from './segments.sql.ts';

/** Milliseconds for which filters are made before others have their turn. */
const TURN = 2;

/** Makes the next segments of chats, up to `limit`. */
export async function makeSegments(db: Database, limit: number): Promise<Work> {
  const rows = await db.indexer.query<Row>({ ...nextSegments(limit) });
  const segments = rows.filter((row): row is Row & Segment => row.id !== null);
  const parts: string[] = [];
  for (let begun = performance.now(); parts.length < segments.length; ) {
    const { texts, isEarly } = segments[parts.length] as Segment;
    parts.push(isEarly ? ALL_PARTS : filterOf(texts.map(foldForSearch).join('\n')));
    if (performance.now() - begun < TURN) continue;
    await turn();
    begun = performance.now();
  }
  const [chats, numbers] = [segments.map(({ chatId }) => chatId), segments.map(({ segment }) => segment)];
  const [from, last] = [
    rows[0]?.segmentedId,
    segments.length === limit ? segments.at(-1)?.id : rows[0]?.refoldedId,
  ];
  const [noted] = await db.select<{ notedBy: string }>(writeSegments, [chats, numbers, parts, from, last]);
  return noted ? { count: segments.length, ...noted } : { count: 0 };
}

type Row = { readonly segmentedId: MessageId; readonly refoldedId: MessageId } & (
  | Segment
  | { readonly id: null }
);

/** Messages of a chat, next to each other. */
interface Segment {
  /** Of the last message. */
  readonly id: MessageId;
  readonly chatId: ChatId;
  readonly segment: number;
  readonly texts: readonly string[];
  readonly isEarly: boolean;
}
