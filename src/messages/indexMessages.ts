import type { Transaction } from 'sequelize';
import type { Database } from '../database/database.ts';
import type { ChatId, MessageId } from '../ids.ts';
import { FOLD_VERSION, foldForSearch, wordsOf } from '../text/fold.ts';
import {
  indexNext,
  lockMessages,
  oldEntries,
  recordIndexed,
  recordRenewed,
  reindexMessage,
  rewriteEntries,
  takeIndex,
  writeEntries,
} from './searchIndex.sql.ts';

/**
 * Characters of content, and milliseconds, after which folding yields to the event loop: some characters take longer
 * than most.
 */
const LETTERS_AT_ONCE = 64 * 1024;
const TURN = 2;

/** Result of a unit of work of the indexer. */
export interface Work {
  /** Number of messages, entries, chats or changes; 0 if another node was working. */
  readonly count: number;
  /** The transaction that recorded it, as the next read of the progress returns it. */
  readonly notedBy?: string;
}

/** State of the index after a slice. */
export interface Indexed extends Work {
  readonly notedBy: string;
  /** The newest id of a message. */
  readonly newest: number;
  /** Number of ids between the newest message and the last one that is certainly indexed. */
  readonly lag: number;
  /** True if there are entries made by another version of the fold. */
  readonly hasOld: boolean;
  /** Number of ids of messages that have an entry and no filter yet. */
  readonly filterLag: number;
  /** True if there are entries that changed since their filter was made. */
  readonly hasChanged: boolean;
  /** The last message of the slice, if there may be more. */
  readonly last: MessageId | null;
  /** All visible messages up to this one have their entry. */
  readonly taken: MessageId;
  /** Null if there was nothing to do, or another node was working. */
  readonly isOver: boolean | null;
}

/**
 * Indexes the next `slice` messages, unless another node has recorded progress since `knownBy`, and returns the state
 * of the index. All visible messages up to `taken` are known to have their entry.
 */
export async function indexNewMessages(
  db: Database,
  slice: number,
  knownBy?: string,
  taken = 0,
): Promise<Indexed> {
  const rows = await db.indexer.query<Slice>({
    ...indexNext(slice),
    values: [knownBy ?? null, FOLD_VERSION, taken],
  });
  const state = rows[0];
  if (!state) throw new Error('message_search_progress has no row');
  const remaining = rows.filter((row): row is Slice & Source => row.id !== null);
  if (remaining.length === 0) return state;
  const { notedBy, last, isOver, newest } = state;
  await write(remaining, (entries) => db.execute(writeEntries, [...entries, notedBy]));
  const [noted] = await db.execute<Pick<Indexed, 'notedBy' | 'lag' | 'hasOld'>>(recordIndexed, [
    notedBy,
    last,
    isOver,
    newest,
    FOLD_VERSION,
  ]);
  return { ...state, ...noted };
}

/** A row of {@link indexNext}. */
type Slice = Indexed & (Source | { readonly id: null });

/**
 * Rewrites up to `limit` entries that another version of the fold has made. Until then, searches use the old entry;
 * concurrent edits write the entry themselves.
 */
export async function renewOldEntries(db: Database, limit: number): Promise<Work> {
  return db.transaction(async (transaction) => {
    const [mine] = await db.query(takeIndex, [], transaction);
    if (!mine) return NOTHING;
    const old = await db.query<{ id: MessageId }>(oldEntries, [limit, FOLD_VERSION], transaction);
    const ids = old.map(({ id }) => id);
    // Locked, unlike new ones, because entries that change concurrently would not be visited again.
    const messages = await db.query<Source>(lockMessages, [JSON.stringify(ids)], transaction);
    await write(messages, (entries) => db.execute(rewriteEntries, entries, transaction));
    const last = ids.length === limit ? ids.at(-1) : null;
    const [noted] = await db.execute<Noted>(recordRenewed, [last], transaction);
    return { count: ids.length, ...noted };
  });
}

/** Writes the entry of a changed message; {@link indexNewMessages} does not overwrite existing entries. */
export async function reindex(
  db: Database,
  messageId: MessageId,
  content: string,
  transaction: Transaction,
): Promise<void> {
  const folded = foldForSearch(content);
  await db.execute(reindexMessage, [messageId, folded, wordsOf(folded), FOLD_VERSION], transaction);
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

/** Writes the entries of messages with `run`, which receives them as arrays and the version of the fold. */
async function write(
  messages: readonly Source[],
  run: (entries: readonly unknown[]) => Promise<unknown>,
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
    await run([ids, chats, seqs, folded, words, FOLD_VERSION]);
    start = end;
  }
}
