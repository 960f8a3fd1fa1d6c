import type DataLoader from 'dataloader';
import { batched } from '../database/batched.ts';
import type { Database } from '../database/database.ts';
import type { ChatId, UserId } from '../ids.ts';

/** A member moves a position in a chat up to `seq`. */
export interface Move {
  readonly chatId: ChatId;
  readonly userId: UserId;
  readonly seq: number;
  /** Called once it is committed, where there was something to change. */
  readonly committed: (moved: Moved) => void;
}

/** Where a position is now, and whether the other person of a dialog is shown it. */
export interface Moved {
  readonly seq: number;
  readonly isShown: boolean;
}

/** The positions of a member in a chat, by the commands that move them. */
export type Position = 'markRead' | 'markDelivered';

/** Moves in one statement. */
const MAX_BATCH = 200;

/**
 * Moves positions in chats forwards, those of many members in one transaction: readers are far more than writers. While
 * one is under way, what comes is gathered for the next. It waits for no lock, so that it cannot wait for what waits for it;
 * a row that somebody else has locked is changed by a transaction of its own.
 */
export class Positions {
  readonly #db: Database;
  readonly #batches: Readonly<Record<Position, DataLoader<Move, boolean>>>;

  constructor(db: Database) {
    this.#db = db;
    const batches = (statement: string) =>
      batched((moves: readonly Move[]) => this.#write(statement, moves), MAX_BATCH);
    this.#batches = {
      markRead: batches(moves.markRead.unlocked),
      markDelivered: batches(moves.markDelivered.unlocked),
    };
  }

  /** Resolves when it is committed; of a member and a chat, one at a time. */
  async move(position: Position, move: Move): Promise<void> {
    if (!(await this.#batches[position].load(move))) await this.#write(moves[position].any, [move]);
  }

  /** Returns which of the moves were made: the others had nothing to change, or a locked row. */
  async #write(statement: string, given: readonly Move[]): Promise<boolean[]> {
    const bind = [JSON.stringify(given.map(({ chatId, userId, seq }, at) => ({ at, chatId, userId, seq })))];
    const rows = await this.#db.transaction(
      (transaction) => this.#db.execute<Moved & { at: number }>(statement, bind, transaction),
      (moved) => {
        for (const row of moved) given[row.at]?.committed(row);
      },
    );
    const made = new Set(rows.map(({ at }) => at));
    return given.map((_, at) => made.has(at));
  }
}

/** The rows of chat_members that are to be changed, with the numbers and `seq` of their moves: $1 an array as JSON. */
const placesWhere = (isBehind: string, wait: '' | 'skip locked') => `
with place as materialized (
  select given.at, given.seq, member.chat_id, member.user_id
  from jsonb_to_recordset($1::jsonb) as given (at integer, "chatId" bigint, "userId" bigint, seq bigint)
  cross join lateral (
    select chat_id, user_id from chat_members
    where chat_id = given."chatId" and user_id = given."userId" and ${isBehind}
    limit 1 for no key update ${wait}
  ) member
)
`;

/** Below what was read already, it changes nothing: not the mark either, which may have been set since. */
const read = (wait: '' | 'skip locked') => `
${placesWhere('(read_seq < given.seq or (read_seq = given.seq and marked_unread))', wait)}
update chat_members member
set read_seq = place.seq, delivered_seq = greatest(delivered_seq, place.seq), marked_unread = false,
  read_tally = case
    when read_seq < place.seq then (select tally from messages where chat_id = place.chat_id and seq = place.seq)
    else read_tally
  end,
  state_xid = pg_current_xact_id()
from place where member.chat_id = place.chat_id and member.user_id = place.user_id
returning place.at, read_seq as seq, shown_read_seq is null as "isShown"
`;

const delivered = (wait: '' | 'skip locked') => `
${placesWhere('delivered_seq < given.seq', wait)}
update chat_members member
set delivered_seq = place.seq, state_xid = pg_current_xact_id()
from place where member.chat_id = place.chat_id and member.user_id = place.user_id
returning place.at, delivered_seq as seq, shown_delivered_seq is null as "isShown"
`;

/** Of each position the statement that passes over locked rows, and the one that waits for them. */
const moves: Readonly<Record<Position, { readonly unlocked: string; readonly any: string }>> = {
  markRead: { unlocked: read('skip locked'), any: read('') },
  markDelivered: { unlocked: delivered('skip locked'), any: delivered('') },
};
