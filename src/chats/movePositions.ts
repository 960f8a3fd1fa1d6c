import type { KeyedQueue } from '../bus/KeyedQueue.ts';
import { ApiError } from '../protocol/errors.ts';
import type { ActingUser } from '../users/actingUser.ts';
import { type Acting, actingIn } from './actingMember.ts';
import { type ChatAddress, ownStateOf } from './membership.ts';
import type { Position, Positions } from './Positions.ts';
import { pushToChat, pushToSelf } from './publish.ts';

/** A member who reads, and what moves their positions. */
export interface Reader extends ActingUser {
  readonly changes: KeyedQueue;
  readonly positions: Positions;
}

/**
 * Moves a position of the connected user in a chat to `seq`, and pushes it if it changed: in a dialog to both members,
 * unless one has blocked the other; in a group only to the user's own other connections.
 */
export async function moveTo(
  reader: Reader,
  type: Position,
  address: ChatAddress,
  seq: number,
): Promise<Acting['chat']> {
  const { session, changes, positions, db } = reader;
  const { userId } = session;
  const { chat, senderName, member } = await actingIn(db, userId, address);
  if (seq > chat.lastSeq)
    throw new ApiError('BAD_REQUEST', `params.seq must be at most ${chat.lastSeq}, the newest message`);
  if (member && hasReached(member, type, seq)) return chat;
  await changes.run(ownStateOf(chat, userId), () =>
    positions.move(type, {
      chatId: chat.id,
      userId,
      seq,
      committed(moved) {
        const push = { type, senderName, fields: { seq: moved.seq } };
        if (chat.kind === 'dialog' && moved.isShown) pushToChat(reader, chat, push);
        else pushToSelf(reader, chat, push);
      },
    }),
  );
  return chat;
}

/** Returns true if a position has already reached `seq`. Positions never move backwards. */
function hasReached(member: Required<Acting>['member'], type: Position, seq: number): boolean {
  const { readSeq, deliveredSeq, markedUnread } = member;
  if (type === 'markDelivered') return deliveredSeq >= seq;
  return readSeq > seq || (readSeq === seq && !markedUnread);
}
