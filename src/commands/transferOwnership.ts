import { Type } from 'typebox';

import { changeGroup } from '../chats/groupChange.ts';
import { requireRole } from '../chats/membership.ts';
import { setRole, targetIn } from '../chats/ranks.ts';
import { Changed, MemberEvent } from '../protocol/schema/groups.ts';
import { IdOfGroup, IdOfUser } from '../protocol/schema/types.ts';
import { nameOf } from '../users/names.ts';
import { defineCommand } from './define.ts';

export const transferOwnership = defineCommand({
  type: 'transferOwnership',
  summary: 'Make another member the owner; the previous owner becomes an admin',
  params: Type.Object({ groupId: IdOfGroup, userId: IdOfUser }),
  result: Changed,
  repeatable: true,
  storesMessage: false,
  ordered: true,
  cost: 2,
  managesGroup: true,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER', 'FORBIDDEN'],
  push: { summary: 'A group has a new owner', fields: MemberEvent },
  async handle({ groupId, userId }, context) {
    return changeGroup(context, 'transferOwnership', groupId, async (change) => {
      const { transaction, actor } = change;
      const own = change.member();
      const { user, member } = await targetIn(context, change, userId);
      if (member.role === 'owner') return undefined; // done before, or to oneself
      requireRole(own, 'owner');
      await context.db.execute(setRole, [groupId, own.userId, 'admin'], transaction);
      await context.db.execute(setRole, [groupId, userId, 'owner'], transaction);
      return { content: `${nameOf(actor)} made ${nameOf(user)} the owner`, fields: { userId } };
    });
  },
});
