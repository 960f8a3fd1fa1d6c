import type { Logger } from 'pino';
import type { Transaction } from 'sequelize';
import type { Database } from '../database/database.ts';
import { isPassing } from '../database/failures.ts';
import type { ChatId, MessageId } from '../ids.ts';
import { FOLD_VERSION, foldForSearch, wordsOf } from '../text/fold.ts';

/** Messages taken into the index by one transaction. */
const CHUNK = 500;
/** Entries of before that are made anew by one transaction, which keeps their messages from being changed meanwhile. */
const RENEWED = 100;
/** Letters of content that are folded before others have their turn, and milliseconds: some take longer than most. */
const LETTERS_AT_ONCE = 64 * 1024;
const TURN = 5;
/** Milliseconds between two looks for new messages. */
const PAUSE = 200;
/** Messages per second from which on their senders come first. */
const BUSY = 2_000;
/** The rest after a chunk, as a multiple of what it took, while it is calm and while it is busy. */
const REST = { calm: 1, busy: 50 };

/**
 * Takes new messages into the search index, behind the send path: a chunk at a time, and hardly any while messages
 * flood in; the rest is caught up with when it is calm again. Any number of nodes may run it; one works at a time.
 */
export class SearchIndexer {
  readonly #db: Database;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #closed = false;
  #last = { id: 0, at: 0 };
  #lag = 0;

  constructor(db: Database, log: Logger) {
    this.#db = db;
    this.#log = log;
    this.#schedule(PAUSE);
  }

  /** Ids of messages from the newest back to what is surely indexed. */
  get lag(): number {
    return this.#lag;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #schedule(ms: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#running = this.#run();
    }, ms).unref();
  }

  async #run(): Promise<void> {
    const start = performance.now();
    let rest = PAUSE;
    try {
      const [state] = await this.#db.select<Progress>(progress, []);
      this.#lag = state?.lag ?? 0;
      const isBehind = state?.behind === true && (await indexNewMessages(this.#db)) === CHUNK;
      const isFull = isBehind || (state?.hasOld === true && (await renewOldEntries(this.#db)) === RENEWED);
      const pace = state && this.#rate(state.newest) > BUSY ? REST.busy : REST.calm;
      if (isFull) rest = (performance.now() - start) * pace;
    } catch (error) {
      if (!isPassing(error)) this.#log.error({ err: error }, 'messages could not be indexed');
    }
    this.#schedule(rest);
  }

  /** Messages per second on all nodes, since the last look. */
  #rate(newest: number): number {
    const { id, at } = this.#last;
    this.#last = { id: newest, at: performance.now() };
    return (newest - id) / ((this.#last.at - at) / 1000);
  }
}

/**
 * Indexes the next messages; resolves to how many. Ids are given before the commit, so a lower one may become
 * visible after a higher one: `settled_id` only moves on to an id noted at a time of which no transaction is open
 * any more. What is deleted meanwhile did not find its entry, which was not committed: it is taken back.
 */
async function indexNewMessages(db: Database): Promise<number> {
  return db.transaction(async (transaction) => {
    const [mine] = await db.select(lockProgress, [], transaction);
    if (!mine) return 0; // another node is at it
    await db.select(inOrderOfIds, [], transaction);
    const fresh = await db.select<Source>(nextMessages, [CHUNK], transaction);
    await index(db, fresh, transaction);
    const [chunk] = await db.select<{ settled: boolean }>(settle, [], transaction);
    if (chunk?.settled) {
      // Two statements: the snapshot has to be younger than the id, or a writer could be in neither.
      const [newest] = await db.select<{ id: number }>(
        `select ${newestId} as id from messages_id_seq`,
        [],
        transaction,
      );
      await db.select(note, [newest?.id], transaction);
    }
    return fresh.length;
  });
}

/**
 * Makes the next entries anew that another version of the fold has made; resolves to how many. They were found by what
 * they were until then, and are by what the edits of any server make of them.
 */
async function renewOldEntries(db: Database): Promise<number> {
  return db.transaction(async (transaction) => {
    const [mine] = await db.select(lockProgress, [], transaction);
    if (!mine) return 0;
    await db.select(inOrderOfIds, [], transaction);
    const old = await db.select<{ id: MessageId }>(oldEntries, [RENEWED, FOLD_VERSION], transaction);
    const ids = old.map(({ id }) => id);
    // Locked, unlike new ones: nobody would come back for what is being changed.
    const messages = await db.select<Source>(lockMessages, [JSON.stringify(ids)], transaction);
    await index(db, messages, transaction);
    await db.select(noteRenewed, [ids.length === RENEWED ? ids.at(-1) : null], transaction);
    return ids.length;
  });
}

/** A message to be indexed. */
interface Source {
  readonly id: MessageId;
  readonly chatId: ChatId;
  readonly seq: number;
  readonly content: string;
}

interface Progress {
  readonly newest: number;
  readonly lag: number;
  readonly behind: boolean;
  /** There may be entries that another version of the fold has made. */
  readonly hasOld: boolean;
}

/** Writes entries of messages that were read in this transaction. */
async function index(db: Database, messages: readonly Source[], transaction: Transaction): Promise<void> {
  for (let start = 0; start < messages.length; ) {
    const begun = performance.now();
    const entries: Entry[] = [];
    let [end, letters] = [start, 0];
    while (end < messages.length && letters < LETTERS_AT_ONCE && performance.now() - begun < TURN) {
      const message = messages[end++] as Source;
      letters += message.content.length;
      entries.push(entryOf(message));
    }
    const indexed = await db.select<{ id: MessageId }>(
      writeEntries,
      [JSON.stringify(entries), FOLD_VERSION],
      transaction,
    );
    const ids = indexed.map(({ id }) => id);
    if (ids.length > 0) await db.select(takeBackChanging, [JSON.stringify(ids)], transaction);
    start = end;
  }
}

/** As the statement takes it: `words` where they differ from `folded`. */
type Entry = ReturnType<typeof entryOf>;

function entryOf({ id, chatId, seq, content }: Source) {
  const folded = foldForSearch(content);
  const words = wordsOf(folded);
  return { id, chat: chatId, seq, folded, ...(words !== folded && { words }) };
}

/** Writes a message that was changed anew; `indexNewMessages` leaves what is there alone. */
export async function reindex(
  db: Database,
  messageId: MessageId,
  content: string,
  transaction: Transaction,
): Promise<void> {
  const folded = foldForSearch(content);
  await db.select(reindexMessage, [messageId, folded, wordsOf(folded), FOLD_VERSION], transaction);
}

/** The newest id of a message; before the first one, the sequence names it already. */
const newestId = 'case when is_called then last_value else last_value - 1 end';

const progress = `
select newest, newest - settled_id as lag, noted_id < newest or settled_id < noted_id as behind,
  refolded_id < settled_id as "hasOld"
from message_search_progress, (select ${newestId} as newest from messages_id_seq) sequence
`;

/** For the rest of the transaction: the next messages come from the index on their ids, whatever the statistics say. */
const inOrderOfIds = `
select set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
  set_config('enable_sort', 'off', true), set_config('enable_hashjoin', 'off', true),
  set_config('enable_mergejoin', 'off', true)
`;

const lockProgress = `
select 1 from message_search_progress for update skip locked
`;

/** Messages from the first that may be missing. */
const missing = `
from messages message
where message.id > (select settled_id from message_search_progress)
  and message.kind = 'text' and message.deleted_at is null
  and not exists (select from message_search where message_id = message.id)
`;

const nextMessages = `
select message.id, message.chat_id as "chatId", message.seq, message.content ${missing}
order by message.id
limit $1
`;

const oldEntries = `
select message_id as id from message_search, message_search_progress
where message_id > refolded_id and message_id <= settled_id and fold is distinct from $2
order by message_id
limit $1
`;

const lockMessages = `
select id, chat_id as "chatId", seq, content from messages
where id = any (array(select jsonb_array_elements_text($1::jsonb)::bigint)) and deleted_at is null
order by id
for share
`;

const noteRenewed = `
update message_search_progress set refolded_id = coalesce($1::bigint, settled_id)
`;

/** An entry that is there already is newer, unless an older version of the fold has made it. */
const writeEntries = `
insert into message_search (message_id, chat_id, seq, document, folded, fold)
select id, chat, seq, to_tsvector('folded_english', coalesce(words, folded)), folded, $2::smallint
from jsonb_to_recordset($1::jsonb) as entry (id bigint, chat bigint, seq bigint, folded text, words text)
on conflict (message_id) do update
set document = excluded.document, folded = excluded.folded, fold = excluded.fold
where message_search.fold is distinct from excluded.fold
returning message_id as id
`;

/**
 * Removes from the index, of the messages $1, what was deleted since they were read, and what somebody is changing:
 * that is indexed later. The others stay as they are until the commit, from which on a deletion finds the entry.
 */
const takeBackChanging = `
with given as materialized (
  select value::bigint as id from jsonb_array_elements_text($1::jsonb)
), kept as materialized (
  select message.id from given join messages message on message.id = given.id
  where message.deleted_at is null
  for share of message skip locked
)
delete from message_search
where message_id = any (array(select id from given except select id from kept))
`;

/** Moves on to the last message before the first that is missing. What was noted by another database is noted anew. */
const settle = `
update message_search_progress
set settled_id = case
  when pg_snapshot_xmin(pg_current_snapshot()) < noted_xmax then settled_id
  else coalesce((
    select message.id - 1 ${missing} and message.id <= noted_id
    order by message.id
    limit 1
  ), greatest(settled_id, noted_id))
end
returning settled_id >= noted_id or noted_xmax > pg_snapshot_xmax(pg_current_snapshot()) as settled
`;

const note = `
update message_search_progress
set noted_id = $1, noted_xmax = pg_snapshot_xmax(pg_current_snapshot())
`;

const reindexMessage = `
insert into message_search (message_id, chat_id, seq, document, folded, fold)
select id, chat_id, seq, to_tsvector('folded_english', $3), $2, $4::smallint from messages where id = $1
on conflict (message_id) do update set document = excluded.document, folded = excluded.folded, fold = excluded.fold
`;
