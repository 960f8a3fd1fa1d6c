import { Type } from 'typebox';

import { changeGroup } from '../chats/groupChange.ts';
import { requireRole } from '../chats/membership.ts';
import { Changed, MemberEvent } from '../protocol/schema/groups.ts';
import { IdOfGroup, IdOfUser } from '../protocol/schema/types.ts';
import { nameOf } from '../users/names.ts';
import { existingUser } from '../users/users.ts';
import { defineCommand } from './define.ts';

export const unbanUser = defineCommand({
  type: 'unbanUser',
  summary: 'Lift the ban of a user; it does not add the user to the group',
  params: Type.Object({ groupId: IdOfGroup, userId: IdOfUser }),
  result: Changed,
  repeatable: true,
  storesMessage: false,
  ordered: true,
  cost: 2,
  managesGroup: true,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER', 'FORBIDDEN'],
  push: { summary: 'The ban of a user was lifted', fields: MemberEvent },
  async handle({ groupId, userId }, context) {
    return changeGroup(context, 'unbanUser', groupId, async ({ transaction, actor, member }) => {
      requireRole(member(), 'owner', 'admin');
      const user = await existingUser(context.db, userId, transaction);
      const lifted = await context.db.bans.destroy({ where: { chatId: groupId, userId }, transaction });
      if (lifted === 0) return undefined;
      return { content: `${nameOf(actor)} lifted the ban on ${nameOf(user)}`, fields: { userId } };
    });
  },
});
