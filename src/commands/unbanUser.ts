import { Type } from 'typebox';

import { changeGroup } from '../chats/groupChange.ts';
import { requireRole } from '../chats/membership.ts';
import { Changed, groupEvent } from '../protocol/schema/groups.ts';
import { Id } from '../protocol/schema/types.ts';
import { nameOf } from '../users/names.ts';
import { existingUser } from '../users/users.ts';
import { defineCommand } from './define.ts';

export const unbanUser = defineCommand({
  type: 'unbanUser',
  summary: 'Let somebody who was banned come in again; it does not add them',
  params: Type.Object({ groupId: Id, userId: Id }),
  result: Changed,
  cost: 2,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER', 'FORBIDDEN'],
  push: { summary: 'Somebody is not banned from a group any more', fields: groupEvent({ userId: Id }) },
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
