import type { User } from '../database/models/User.ts';
import { ApiError } from '../errors.ts';
import type { UserId } from '../ids.ts';
import { activeUser } from '../users/users.ts';
import { type Actor, admit, type Scene } from './changeGroup.ts';

/**
 * Adds somebody at another member's wish. Refuses with `NOT_FOUND`, `ALREADY_A_MEMBER`, or `FORBIDDEN` for who is
 * banned or has blocked the one who adds.
 */
export async function addMember(
  context: Actor,
  scene: Pick<Scene, 'transaction' | 'group' | 'actor'>,
  userId: UserId,
): Promise<User> {
  const { db } = context;
  const { transaction, group, actor } = scene;
  const added = await activeUser(db, userId, transaction);
  const member = { chatId: group.id, userId };
  if (await db.members.findOne({ where: member, transaction })) throw new ApiError('ALREADY_A_MEMBER');
  if (await db.bans.findOne({ where: member, transaction }))
    throw new ApiError('FORBIDDEN', 'The user is banned from this group');
  if (await db.blocks.findOne({ where: { userId, blockedId: actor.id }, transaction }))
    throw new ApiError('FORBIDDEN');
  await admit(context, scene, userId);
  return added;
}
