import type { Transaction } from 'sequelize';
import type { Queries } from '../database/database.ts';
import type { User } from '../database/models/User.ts';
import type { UserId } from '../ids.ts';
import { ApiError } from '../protocol/errors.ts';

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
