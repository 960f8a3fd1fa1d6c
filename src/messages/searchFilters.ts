import { setImmediate as turn } from 'node:timers/promises';
import type { Database } from '../database/database.ts';
import type { ChatId, MessageId, UserId } from '../ids.ts';
import { addMention, addParts, addSender, addWord, type Filter, newFilter } from '../text/bloomFilter.ts';
import type { Work } from './indexMessages.ts';
import { changedEntries, FILTER_SIZE, mergeChanges, nextFilters, writeFilters } from './searchFilters.sql.ts';

/** Milliseconds after which the work yields to the event loop. */
const TURN = 2;

/** Makes the next filters of up to `limit` chats. `count` is their number, and at least 1 while there may be more. */
export async function makeFilters(db: Database, limit: number): Promise<Work> {
  const rows = await db.indexer.query<Row>({ ...nextFilters(limit) });
  const progress = rows[0];
  if (!progress) return { count: 0 };
  const chats = rows.filter((row): row is Row & Chat => row.chatId !== null);
  const made: Made[] = [];
  for (let begun = performance.now(); chats.length > 0; ) {
    const chat = chats.pop() as Chat;
    for (const part of partsOf(chat)) made.push(makeFilter(chat.chatId, part));
    if (performance.now() - begun < TURN) continue;
    await turn();
    begun = performance.now();
  }
  const { notedBy, filteredTo, refoldedTo } = progress;
  const columns = [
    made.map(({ chatId }) => chatId),
    made.map(({ firstId }) => firstId),
    made.map(({ lastId }) => lastId),
    made.map(({ lastSeq }) => lastSeq),
    made.map(({ messages }) => messages),
    Buffer.concat(made.map(({ filter }) => filter)),
  ];
  const [noted] = await db.execute<Noted>(writeFilters, [notedBy, ...columns, filteredTo]);
  return noted ? { count: made.length + Number(filteredTo < refoldedTo), ...noted } : { count: 0 };
}

/** Adds up to `limit` changed messages to their filters. */
export async function mergeChangedEntries(db: Database, limit: number): Promise<Work> {
  const changes = await db.indexer.query<Change>({ ...changedEntries(limit) });
  const [first] = changes;
  if (!first) return { count: 0 };
  const merged = new Map<string, { chatId: ChatId; firstId: MessageId; filter: Filter }>();
  for (const { chatId, firstId, entry } of changes) {
    if (firstId === null || !entry) continue; // deleted, or the filter already includes the change
    const key = `${chatId} ${firstId}`;
    const into = merged.get(key) ?? { chatId, firstId, filter: newFilter() };
    addEntry(into.filter, entry);
    merged.set(key, into);
  }
  const filters = [...merged.values()];
  const [noted] = await db.execute<Noted>(mergeChanges, [
    first.notedBy,
    filters.map(({ chatId }) => chatId),
    filters.map(({ firstId }) => firstId),
    Buffer.concat(filters.map(({ filter }) => filter)),
    changes.map(({ chatId }) => chatId),
    changes.map(({ seq }) => seq),
    changes.map(({ changedBy }) => changedBy),
  ]);
  return noted ? { count: changes.length, ...noted } : { count: 0 };
}

/** The result of {@link entryOf}. */
type Entry = readonly [
  id: MessageId,
  seq: number,
  folded: string,
  words: readonly string[],
  senderId: UserId,
  mentions: readonly UserId[] | null,
];

interface Noted {
  readonly notedBy: string;
}

/** The progress of the filters, and the limit up to which they may be made. */
interface Progress extends Noted {
  readonly filteredTo: MessageId;
  readonly refoldedTo: MessageId;
}

type Row = Progress & (Chat | { readonly chatId: null });

/** Entries of a chat without a filter, and the filter with room before them, if there is one. */
interface Chat {
  readonly chatId: ChatId;
  readonly firstId: MessageId | null;
  /** Number of messages in the last filter. */
  readonly messages: number | null;
  readonly entries: readonly Entry[];
}

interface Change extends Noted {
  readonly chatId: ChatId;
  readonly seq: number;
  readonly changedBy: string;
  readonly firstId: MessageId | null;
  readonly entry: Entry | null;
}

/** A filter, or an addition to one. */
interface Made {
  readonly chatId: ChatId;
  readonly firstId: MessageId;
  readonly lastId: MessageId;
  readonly lastSeq: number;
  readonly messages: number;
  readonly filter: Filter;
}

/** Entries of one filter, its first message, and the number of messages already in it. */
interface Part {
  readonly firstId: MessageId;
  readonly before: number;
  readonly entries: readonly Entry[];
}

/** Divides the entries of a chat: the first ones fill the last filter, the others fill new filters. */
function* partsOf({ firstId, messages, entries }: Chat): Generator<Part> {
  let before = firstId === null ? 0 : (messages ?? 0);
  for (let start = 0, end = 0; start < entries.length; start = end) {
    end = start + FILTER_SIZE - before;
    const part = entries.slice(start, end);
    yield {
      firstId: start === 0 && firstId !== null ? firstId : (part[0] as Entry)[0],
      before,
      entries: part,
    };
    before = 0;
  }
}

function makeFilter(chatId: ChatId, { firstId, before, entries }: Part): Made {
  const filter = newFilter();
  let [lastId, lastSeq] = [firstId, 0];
  for (const entry of entries) {
    addEntry(filter, entry);
    lastId = entry[0];
    lastSeq = Math.max(lastSeq, entry[1]);
  }
  return { chatId, firstId, lastId, lastSeq, messages: before + entries.length, filter };
}

function addEntry(filter: Filter, [, , folded, words, senderId, mentions]: Entry): void {
  addParts(filter, folded);
  for (const word of words) addWord(filter, word);
  addSender(filter, senderId);
  for (const userId of mentions ?? []) addMention(filter, userId);
}
