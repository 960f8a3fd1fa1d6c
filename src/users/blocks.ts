import type { Transaction } from 'sequelize';
import type { Database } from '../database/database.ts';
import type { Chat } from '../database/models/Chat.ts';
import type { UserId } from '../ids.ts';
import { ApiError } from '../protocol/errors.ts';
import { otherIn } from './pairs.ts';

/**
 * Refuses with `FORBIDDEN` and its default message if the other member of a dialog has blocked the user. Accepts
 * groups.
 */
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

/** Returns the queue key for changes of the block of one user by another. */
export function blockOf(userId: UserId, blockedId: UserId): string {
  return `block:${userId}:${blockedId}`;
}
