import type { Transaction } from 'sequelize';
import type { Database } from '../database/database.ts';
import type { ChatId, MessageId } from '../ids.ts';
import { FOLD_VERSION, foldForSearch, wordsOf } from '../text/fold.ts';
import {
  indexNext,
  lockMessages,
  noteIndexed,
  noteRenewed,
  oldEntries,
  reindexMessage,
  rewriteEntries,
  takeIndex,
  writeEntries,
} from './searchIndex.sql.ts';

/** Letters of content that are folded before others have their turn, and milliseconds: some take longer than most. */
const LETTERS_AT_ONCE = 64 * 1024;
const TURN = 2;

/** Result of a piece of work of the indexer. */
export interface Work {
  /** Messages, entries, chats or changes; none where another node was at it. */
  readonly count: number;
  /** The transaction that noted it, as the next look at the progress has it. */
  readonly notedBy?: string;
}

/** State of the index, and what was indexed just now. */
export interface Indexed extends Work {
  readonly notedBy: string;
  /** The newest id of a message. */
  readonly newest: number;
  /** Ids of messages from the newest back to what is surely indexed. */
  readonly lag: number;
  /** There are entries that another version of the fold has made. */
  readonly hasOld: boolean;
  /** Ids of messages that have an entry, and no filter yet. */
  readonly filterLag: number;
  /** There are entries that were changed since their filter was made. */
  readonly hasChanged: boolean;
  /** The last message that was taken, where there may be more. */
  readonly last: MessageId | null;
  /** All messages up to this one that could be seen have their entry. */
  readonly taken: MessageId;
  /** Null where nothing was to be done, or another node was at it. */
  readonly isOver: boolean | null;
}

/**
 * Indexes the next `slice` messages, if nobody else has noted anything since `knownBy`, and answers with the state of the
 * index. All up to `taken` that could be seen are known to have their entry.
 */
export async function indexNewMessages(
  db: Database,
  slice: number,
  knownBy?: string,
  taken: MessageId = 0,
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
  const [noted] = await db.execute<Pick<Indexed, 'notedBy' | 'lag' | 'hasOld'>>(noteIndexed, [
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
 * Makes the next entries anew, up to `limit`, that another version of the fold has made. They were
 * found by what they were until then, and are by what the edits of any server make of them.
 */
export async function renewOldEntries(db: Database, limit: number): Promise<Work> {
  return db.transaction(async (transaction) => {
    const [mine] = await db.query(takeIndex, [], transaction);
    if (!mine) return NOTHING;
    const old = await db.query<{ id: MessageId }>(oldEntries, [limit, FOLD_VERSION], transaction);
    const ids = old.map(({ id }) => id);
    // Locked, unlike new ones: nobody would come back for what is being changed.
    const messages = await db.query<Source>(lockMessages, [JSON.stringify(ids)], transaction);
    await write(messages, (entries) => db.execute(rewriteEntries, entries, transaction));
    const last = ids.length === limit ? ids.at(-1) : null;
    const [noted] = await db.execute<Noted>(noteRenewed, [last], transaction);
    return { count: ids.length, ...noted };
  });
}

/** Writes the entry of a message that was changed; {@link indexNewMessages} leaves what is there alone. */
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

/** Writes the entries of messages by a statement that takes them as arrays, and the version of the fold. */
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
