import type DataLoader from 'dataloader';
import { batched } from '../database/batched.ts';
import type { Database } from '../database/database.ts';
import type { ChatId, UserId } from '../ids.ts';
import { notePrivateChange } from './memberState.sql.ts';

/** A move of a member's position in a chat to `seq`. */
export interface Move {
  readonly chatId: ChatId;
  readonly userId: UserId;
  readonly seq: number;
  /** Called once after the commit, if the position changed or the unread mark was removed. */
  readonly committed: (moved: Moved) => void;
}

/** The new position, and whether it changed and the other member of a dialog may see it. */
export interface Moved {
  readonly seq: number;
  readonly isShown: boolean;
}

/** The positions of a member in a chat, named by the commands that move them. */
export type Position = 'markRead' | 'markDelivered';

/** Moves per statement. */
const MAX_BATCH = 200;

/**
 * Moves positions in chats forwards, many members in one transaction, because there are far more readers than writers.
 * While one transaction runs, further moves are collected for the next. It waits for no locks, which prevents
 * deadlocks; locked rows are changed in separate transactions.
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

  /** Moves a position; resolves after the commit. Moves of one member in one chat must not be concurrent. */
  async move(position: Position, move: Move): Promise<void> {
    if (!(await this.#batches[position].load(move))) await this.#write(moves[position].any, [move]);
  }

  /** Returns for each move whether it was made; the others changed nothing or found a locked row. */
  async #write(statement: string, requested: readonly Move[]): Promise<boolean[]> {
    const bind = [
      JSON.stringify(requested.map(({ chatId, userId, seq }, at) => ({ at, chatId, userId, seq }))),
    ];
    const rows = await this.#db.transaction(
      (transaction) => this.#db.execute<Moved & { at: number }>(statement, bind, transaction),
      (moved) => {
        for (const row of moved) requested[row.at]?.committed(row);
      },
    );
    const made = new Set(rows.map(({ at }) => at));
    return requested.map((_, at) => made.has(at));
  }
}

/** Returns SQL for the rows of chat_members to change with the index and `seq` of their moves; $1 is a JSON array. */
const targetsWhere = (isBehind: string, wait: '' | 'skip locked') => `
with target as materialized (
  select input.at, input.seq, member.chat_id, member.user_id, member.read_seq as read_before
  from jsonb_to_recordset($1::jsonb) as input (at integer, "chatId" bigint, "userId" bigint, seq bigint)
  cross join lateral (
    select chat_id, user_id, read_seq from chat_members
    where chat_id = input."chatId" and user_id = input."userId" and ${isBehind}
    limit 1 for no key update ${wait}
  ) member
)
`;

/**
 * Changes nothing below the current position, not even the unread mark, which may have been set later. Only the user
 * finds out about a mark that is removed at the current position.
 */
const read = (wait: '' | 'skip locked') => `
${targetsWhere('(read_seq < input.seq or (read_seq = input.seq and marked_unread))', wait)}
update chat_members member
set read_seq = target.seq, delivered_seq = greatest(delivered_seq, target.seq), marked_unread = false,
  read_tally = case
    when read_seq < target.seq then (select tally from messages where chat_id = target.chat_id and seq = target.seq)
    else read_tally
  end,${notePrivateChange('member', 'read_seq = target.seq')}
from target where member.chat_id = target.chat_id and member.user_id = target.user_id
returning target.at, read_seq as seq, read_seq > read_before and shown_read_seq is null as "isShown"
`;

const delivered = (wait: '' | 'skip locked') => `
${targetsWhere('delivered_seq < input.seq', wait)}
update chat_members member
set delivered_seq = target.seq, state_xid = pg_current_xact_id()
from target where member.chat_id = target.chat_id and member.user_id = target.user_id
returning target.at, delivered_seq as seq, shown_delivered_seq is null as "isShown"
`;

/** The statements of each position: one skips locked rows, one waits for them. */
const moves: Readonly<Record<Position, { readonly unlocked: string; readonly any: string }>> = {
  markRead: { unlocked: read('skip locked'), any: read('') },
  markDelivered: { unlocked: delivered('skip locked'), any: delivered('') },
};
