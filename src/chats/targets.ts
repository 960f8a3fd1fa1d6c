import type { ChatMember } from '../database/models/ChatMember.ts';
import type { User } from '../database/models/User.ts';
import type { UserId } from '../ids.ts';
import { ApiError } from '../protocol/errors.ts';
import type { ActingUser } from '../users/actingUser.ts';
import { existingUser } from '../users/users.ts';
import type { GroupChange } from './groupChange.ts';

/** Another member, whom something is done to; refuses with `NOT_FOUND`, saying whether it is the user or the membership. */
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

/** Refuses with `FORBIDDEN` unless one may put the other out: the owner may all, admins may members. */
export function assertOutranks(actor: Pick<ChatMember, 'role'>, target: Pick<ChatMember, 'role'>): void {
  const rank = { owner: 2, admin: 1, member: 0 };
  if (rank[actor.role] <= rank[target.role])
    throw new ApiError(
      'FORBIDDEN',
      'Only the owner may do this to admins, only the owner or an admin to members',
    );
}

/** Sets $3 as the role of the user $2 in the group $1. */
export const setRole = `
update chat_members set role = $3, membership_xid = pg_current_xact_id() where chat_id = $1 and user_id = $2
`;
