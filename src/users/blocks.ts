import type { Transaction } from 'sequelize';
import type { Database } from '../database/database.ts';
import type { Chat } from '../database/models/Chat.ts';
import type { UserId } from '../ids.ts';
import { ApiError } from '../protocol/errors.ts';
import { otherIn } from './pairs.ts';

/** Refuses with a bare `FORBIDDEN` when the other person of the dialog has blocked the user; never in a group. */
export async function assertNotBlocked(
  db: Database,
  chat: Pick<Chat, 'kind' | 'userLow' | 'userHigh'>,
  userId: UserId,
  transaction: Transaction | null = null,
): Promise<void> {
  if (chat.kind === 'group') return;
  const block = { userId: otherIn(chat, userId), blockedId: userId };
  if (await db.blocks.findOne({ where: block, transaction })) throw new ApiError('FORBIDDEN');
}

/** Names that one user blocks another, for changes of it to go one after another. */
export function blockOf(userId: UserId, blockedId: UserId): string {
  return `block:${userId}:${blockedId}`;
}
