import { Type } from 'typebox';

import { changeGroup } from '../chats/groupChange.ts';
import { requireRole } from '../chats/membership.ts';
import { setRole, targetIn } from '../chats/ranks.ts';
import { ApiError } from '../protocol/errors.ts';
import { Changed, groupEvent, MemberEvent } from '../protocol/schema/groups.ts';
import { IdOfGroup, IdOfUser } from '../protocol/schema/types.ts';
import { nameOf } from '../users/names.ts';
import { defineCommand } from './define.ts';

const NewRole = Type.Enum(['admin', 'member'], {
  title: 'AssignableRole',
  description: 'A role that the owner can give',
});

export const setMemberRole = defineCommand({
  type: 'setMemberRole',
  summary: 'Make a member an admin, or an admin a member',
  description: 'Allowed for the owner. To change the owner, use transferOwnership.',
  params: Type.Object({ groupId: IdOfGroup, userId: IdOfUser, role: NewRole }),
  result: Changed,
  repeatable: true,
  storesMessage: false,
  ordered: true,
  cost: 2,
  managesGroup: true,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER', 'FORBIDDEN'],
  push: {
    summary: 'The role of a member changed',
    fields: groupEvent({ userId: MemberEvent.properties.userId, role: NewRole }),
  },
  async handle({ groupId, userId, role }, context) {
    return changeGroup(context, 'setMemberRole', groupId, async (change) => {
      requireRole(change.member(), 'owner');
      const { user, member } = await targetIn(context, change, userId);
      if (member.role === role) return undefined;
      if (member.role === 'owner')
        throw new ApiError('FORBIDDEN', 'The role of the owner cannot be changed; use transferOwnership');
      await context.db.execute(setRole, [groupId, userId, role], change.transaction);
      const content = `${nameOf(change.actor)} made ${nameOf(user)} ${role === 'admin' ? 'an admin' : 'a member'}`;
      return { content, fields: { userId, role } };
    });
  },
});
