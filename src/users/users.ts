import type { Transaction } from 'sequelize';
import type { Queries } from '../database/database.ts';
import type { Chat } from '../database/models/Chat.ts';
import type { User } from '../database/models/User.ts';
import type { UserId } from '../ids.ts';
import { ApiError } from '../protocol/errors.ts';
import { otherIn } from './pairs.ts';

/** Returns a user, deleted or not; refuses with `NOT_FOUND`. */
export async function existingUser(
  db: Queries,
  userId: UserId,
  transaction: Transaction | null = null,
): Promise<User> {
  const user = await db.users.findByPk(userId, { transaction });
  if (!user) throw new ApiError('NOT_FOUND', `There is no user ${userId}`);
  return user;
}

/** Returns a user who is not deleted; refuses with `NOT_FOUND`. */
export async function activeUser(
  db: Queries,
  userId: UserId,
  transaction: Transaction | null = null,
): Promise<User> {
  const user = await existingUser(db, userId, transaction);
  if (user.deletedAt) throw new ApiError('NOT_FOUND', `There is no user ${userId}`);
  return user;
}

/** Refuses with `NOT_FOUND` if the other person of a dialog has deleted the account. Accepts groups. */
export async function assertNotDeleted(
  db: Queries,
  chat: Pick<Chat, 'kind' | 'userLow' | 'userHigh'>,
  userId: UserId,
): Promise<void> {
  if (chat.kind === 'dialog') await activeUser(db, otherIn(chat, userId));
}
