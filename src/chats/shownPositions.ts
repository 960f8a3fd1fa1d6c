import type { Transaction } from 'sequelize';
import type { Publisher } from '../bus/bus.ts';
import { userTopic } from '../bus/topics.ts';
import type { Database } from '../database/database.ts';
import type { ChatId, UserId } from '../ids.ts';
import { encodePush } from '../protocol/frames.ts';
import { nameOf } from '../users/names.ts';
import { pairOf } from '../users/pairs.ts';

/*
 * While one of two users blocks the other, neither sees the other's current positions: the shown positions are frozen
 * when the block begins, and move only with messages that the other writes (see ownPosition.sql.ts).
 */

type Pair = readonly [UserId, UserId];

/** The dialog of two users. */
export interface Dialog {
  readonly chatId: ChatId;
  readonly head: number;
}

/** Locks the dialog of two users, if there is one, against messages and other changes of blocks. */
export async function lockDialog(
  db: Database,
  [one, other]: Pair,
  transaction: Transaction,
): Promise<Dialog | undefined> {
  const { low, high } = pairOf(one, other);
  return (await db.query<Dialog>(lock, [low, high], transaction))[0];
}

const lock = `
select id as "chatId", last_seq as head from chats where user_low = $1 and user_high = $2 for no key update
`;

/** Freezes the shown positions of two users in their dialog, if there is one and one has blocked the other. */
export async function freezePositions(db: Database, pair: Pair, transaction?: Transaction): Promise<void> {
  const { low, high } = pairOf(...pair);
  await db.execute(freeze, [low, high], transaction);
}

const freeze = `
update chat_members member
set shown_read_seq = read_seq, shown_delivered_seq = delivered_seq, shown_xid = state_xid
from chats
where chats.user_low = $1 and chats.user_high = $2 and member.chat_id = chats.id and shown_read_seq is null
  and exists (select from blocks where user_id in ($1, $2) and blocked_id in ($1, $2))
`;

/** A position that moved while the shown one was frozen. */
export interface HiddenMove {
  readonly type: 'markRead' | 'markDelivered';
  readonly userId: UserId;
  readonly username: string | null;
  readonly seq: number;
}

/**
 * Unfreezes the shown positions of two users in their locked dialog, unless the other has blocked as well. Returns the
 * positions that moved in the meantime.
 */
export function releasePositions(
  db: Database,
  [one, other]: Pair,
  { chatId }: Dialog,
  transaction: Transaction,
): Promise<HiddenMove[]> {
  return db.execute<HiddenMove>(release, [chatId, one, other], transaction);
}

const release = `
with released as (
  update chat_members member
  set shown_read_seq = null, shown_delivered_seq = null, shown_xid = null,
    state_xid = case
      when read_seq > before.read or delivered_seq > before.delivered then pg_current_xact_id() else state_xid
    end
  from (
    select user_id as id, shown_read_seq as read, shown_delivered_seq as delivered
    from chat_members where chat_id = $1 and shown_read_seq is not null
  ) before
  where member.chat_id = $1 and member.user_id = before.id
    and not exists (select from blocks where user_id in ($2, $3) and blocked_id in ($2, $3))
  returning member.user_id, member.read_seq, member.delivered_seq, before.read, before.delivered
)
select move.type, released.user_id as "userId", users.username, move.seq
from released
join users on users.id = released.user_id
cross join lateral (
  values ('markDelivered', delivered_seq, delivered), ('markRead', read_seq, read)
) move (type, seq, shown)
where move.seq > move.shown
`;

/** Pushes the positions that moved while they were frozen to the other user of each. */
export function publishMoves(
  bus: Publisher,
  [one, other]: Pair,
  { chatId, head }: Dialog,
  moves: readonly HiddenMove[],
): void {
  for (const { type, userId: senderId, username, seq } of moves) {
    const receiverId = senderId === one ? other : one;
    const frame = encodePush(type, null, nameOf({ username }), { senderId, receiverId, seq });
    bus.publish(userTopic(receiverId), { frame, about: { chatId, head } });
  }
}
