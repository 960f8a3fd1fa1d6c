import { setImmediate as turn } from 'node:timers/promises';
import type { Transaction } from 'sequelize';
import type { Database } from '../database/database.ts';
import type { ChatId, MessageId } from '../ids.ts';
import { FOLD_VERSION, foldForSearch, wordsOf } from '../text/fold.ts';
import { ALL_PARTS, filterOf } from '../text/parts.ts';
import {
  lockMessages,
  nextMessages,
  nextSegments,
  noteIndexed,
  noteRenewed,
  noteSegmented,
  oldEntries,
  reindexMessage,
  rewriteEntries,
  takeIndex,
  writeEntries,
  writeSegments,
} from './searchIndex.sql.ts';

/** Letters of content that are folded before others have their turn, and milliseconds: some take longer than most. */
const LETTERS_AT_ONCE = 64 * 1024;
const TURN = 2;

/** Result of a transaction of the indexer. */
export interface Work {
  /** Messages, entries or segments; none where another node was at it. */
  readonly count: number;
  /** The transaction, as the next look at the progress has it. */
  readonly notedBy?: string;
}

/**
 * Indexes the next messages, up to `limit`, in one transaction. `newest` was the newest id of a message a
 * moment ago.
 */
export async function indexNewMessages(db: Database, newest: number, limit: number): Promise<Work> {
  return db.transaction(async (transaction) => {
    const [mine] = await db.select<{ isOver: boolean }>(takeIndex, [], transaction);
    if (!mine) return NOTHING;
    const fresh = await db.select<Source>(nextMessages, [limit], transaction);
    await write(db, writeEntries, fresh, transaction);
    const last = fresh.length === limit ? fresh.at(-1)?.id : undefined;
    const [noted] = await db.select<Noted>(noteIndexed, [last ?? null, mine.isOver, newest], transaction);
    return { count: fresh.length, ...noted };
  });
}

/**
 * Makes the next entries anew, up to `limit`, that another version of the fold has made. They were
 * found by what they were until then, and are by what the edits of any server make of them.
 */
export async function renewOldEntries(db: Database, limit: number): Promise<Work> {
  return db.transaction(async (transaction) => {
    const [mine] = await db.select(takeIndex, [], transaction);
    if (!mine) return NOTHING;
    const old = await db.select<{ id: MessageId }>(oldEntries, [limit, FOLD_VERSION], transaction);
    const ids = old.map(({ id }) => id);
    // Locked, unlike new ones: nobody would come back for what is being changed.
    const messages = await db.select<Source>(lockMessages, [JSON.stringify(ids)], transaction);
    await write(db, rewriteEntries, messages, transaction);
    const last = ids.length === limit ? ids.at(-1) : null;
    const [noted] = await db.select<Noted>(noteRenewed, [last], transaction);
    return { count: ids.length, ...noted };
  });
}

/** Makes the next segments of chats, up to `limit`. */
export async function makeSegments(db: Database, limit: number): Promise<Work> {
  return db.transaction(async (transaction) => {
    const [mine] = await db.select(takeIndex, [], transaction);
    if (!mine) return NOTHING;
    const segments = await db.select<Segment>(nextSegments, [limit], transaction);
    const parts: string[] = [];
    for (let begun = performance.now(); parts.length < segments.length; ) {
      const { folded, isEarly } = segments[parts.length] as Segment;
      parts.push(isEarly ? ALL_PARTS : filterOf(folded ?? ''));
      if (performance.now() - begun < TURN) continue;
      await turn();
      begun = performance.now();
    }
    const [chats, numbers] = [segments.map(({ chatId }) => chatId), segments.map(({ segment }) => segment)];
    await db.select(writeSegments, [chats, numbers, parts], transaction);
    const last = segments.length === limit ? segments.at(-1)?.id : null;
    const [noted] = await db.select<Noted>(noteSegmented, [last], transaction);
    return { count: segments.length, ...noted };
  });
}

/** Messages of a chat, next to each other. */
interface Segment {
  /** Of the last message. */
  readonly id: MessageId;
  readonly chatId: ChatId;
  readonly segment: number;
  /** Of those that have an entry; null if none has. */
  readonly folded: string | null;
  readonly isEarly: boolean;
}

/** Writes the entry of a message that was changed; {@link indexNewMessages} leaves what is there alone. */
export async function reindex(
  db: Database,
  messageId: MessageId,
  content: string,
  transaction: Transaction,
): Promise<void> {
  const folded = foldForSearch(content);
  await db.select(reindexMessage, [messageId, folded, wordsOf(folded), FOLD_VERSION], transaction);
}

const NOTHING: Work = { count: 0 };

interface Noted {
  readonly notedBy: string;
}

/** A message to be indexed. */
interface Source {
  readonly id: MessageId;
  readonly chatId: ChatId;
  readonly seq: number;
  readonly content: string;
}

/** Writes the entries of messages by a statement that takes them as arrays. */
async function write(
  db: Database,
  statement: string,
  messages: readonly Source[],
  transaction: Transaction,
): Promise<void> {
  for (let start = 0; start < messages.length; ) {
    const begun = performance.now();
    const folded: string[] = [];
    const words: (string | null)[] = [];
    let [end, letters] = [start, 0];
    while (end < messages.length && letters < LETTERS_AT_ONCE && performance.now() - begun < TURN) {
      const { content } = messages[end++] as Source;
      letters += content.length;
      const text = foldForSearch(content);
      const itsWords = wordsOf(text);
      folded.push(text);
      words.push(itsWords === text ? null : itsWords);
    }
    const part = messages.slice(start, end);
    const [ids, chats, seqs] = [
      part.map(({ id }) => id),
      part.map(({ chatId }) => chatId),
      part.map(({ seq }) => seq),
    ];
    await db.select(statement, [ids, chats, seqs, folded, words, FOLD_VERSION], transaction);
    start = end;
  }
}
