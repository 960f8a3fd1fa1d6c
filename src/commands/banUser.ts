import { Type } from 'typebox';

import { changeGroup, removeMembers } from '../chats/groupChange.ts';
import { requireRole } from '../chats/membership.ts';
import { assertOutranks } from '../chats/ranks.ts';
import { ApiError } from '../protocol/errors.ts';
import { Changed, MemberEvent } from '../protocol/schema/groups.ts';
import { IdOfGroup, IdOfUser, Text } from '../protocol/schema/types.ts';
import { nameOf } from '../users/names.ts';
import { existingUser } from '../users/users.ts';
import { defineCommand } from './define.ts';

export const banUser = defineCommand({
  type: 'banUser',
  summary:
    'Remove a user from a group and prevent them from joining or being added; also for users who are not members',
  description: 'Allowed for the owner, and for admins if the user is not an admin.',
  params: Type.Object({
    groupId: IdOfGroup,
    userId: IdOfUser,
    reason: Type.Optional(Text(1, 500, 'For the other admins')),
  }),
  result: Changed,
  repeatable: true,
  storesMessage: false,
  ordered: true,
  cost: 2,
  managesGroup: true,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER', 'FORBIDDEN'],
  push: {
    summary: 'A user was banned from a group; the banned user receives no further push about it',
    fields: MemberEvent,
  },
  async handle({ groupId, userId, reason = null }, context) {
    const { session, db } = context;
    return changeGroup(context, 'banUser', groupId, async (change) => {
      const { transaction, actor } = change;
      const own = change.member();
      requireRole(own, 'owner', 'admin');
      if (userId === session.userId) throw new ApiError('FORBIDDEN', 'Users cannot ban themselves');
      const user = await existingUser(db, userId, transaction);
      const member = await db.members.findOne({ where: { chatId: groupId, userId }, transaction });
      if (member) assertOutranks(own, member);
      const bind = [groupId, userId, session.userId, reason];
      const [created] = await db.execute(insertBan, bind, transaction);
      if (!created) return undefined; // a repeat, whatever became of the account since
      if (user.deletedAt) throw new ApiError('NOT_FOUND', `There is no user ${userId}`);
      await removeMembers(context, change, userId);
      const content = `${nameOf(actor)} banned ${nameOf(user)}`;
      return { content, fields: { userId }, ...(member && { left: [userId] }) };
    });
  },
});

/** Returns a row unless the user is banned already. */
const insertBan = `
insert into bans (chat_id, user_id, banned_by, reason) values ($1, $2, $3, $4)
on conflict (chat_id, user_id) do nothing
returning user_id
`;
