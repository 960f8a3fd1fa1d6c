import type { Transaction } from 'sequelize';
import type { Database } from '../database/database.ts';
import type { Chat } from '../database/models/Chat.ts';
import { ApiError } from '../errors.ts';
import type { ChatId, UserId } from '../ids.ts';

/** The group, if the user is in it now; refuses with `NOT_FOUND` or `NOT_A_MEMBER`. */
export async function groupOfMember(
  db: Database,
  groupId: ChatId,
  userId: UserId,
  transaction: Transaction | null = null,
): Promise<Chat> {
  const group = await db.chats.findOne({ where: { id: groupId, kind: 'group' }, transaction });
  if (!group) throw new ApiError('NOT_FOUND', `There is no group ${groupId}`);
  const member = await db.members.findOne({ where: { chatId: groupId, userId }, transaction });
  if (!member) throw new ApiError('NOT_A_MEMBER');
  return group;
}
