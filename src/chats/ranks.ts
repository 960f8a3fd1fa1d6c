import type { ChatMember } from '../database/models/ChatMember.ts';
import type { User } from '../database/models/User.ts';
import type { UserId } from '../ids.ts';
import { ApiError } from '../protocol/errors.ts';
import type { ActingUser } from '../users/actingUser.ts';
import { existingUser } from '../users/users.ts';
import type { GroupChange } from './groupChange.ts';

/**
 * Returns the member to whom a change applies; refuses with `NOT_FOUND`, whose message distinguishes an unknown user
 * from a user who is not a member.
 */
export async function targetIn(
  { db }: Pick<ActingUser, 'db'>,
  { transaction, group }: GroupChange,
  userId: UserId,
): Promise<{ user: User; member: ChatMember }> {
  const user = await existingUser(db, userId, transaction);
  const member = await db.members.findOne({ where: { chatId: group.id, userId }, transaction });
  if (!member) throw new ApiError('NOT_FOUND', `User ${userId} is not in this group`);
  return { user, member };
}

/**
 * Refuses with `FORBIDDEN` unless the actor outranks the target: the owner outranks all others, admins outrank members.
 */
export function assertOutranks(actor: Pick<ChatMember, 'role'>, target: Pick<ChatMember, 'role'>): void {
  const rank = { owner: 2, admin: 1, member: 0 };
  if (rank[actor.role] <= rank[target.role])
    throw new ApiError(
      'FORBIDDEN',
      'Only the owner may do this to an admin; only the owner or an admin may do it to a member',
    );
}

/** Sets $3 as the role of the user $2 in the group $1. */
export const setRole = `
update chat_members set role = $3, membership_xid = pg_current_xact_id() where chat_id = $1 and user_id = $2
`;
