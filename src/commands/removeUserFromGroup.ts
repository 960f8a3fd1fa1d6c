import { Type } from 'typebox';

import { changeGroup, removeMembers } from '../chats/groupChange.ts';
import { requireRole } from '../chats/membership.ts';
import { assertOutranks, targetIn } from '../chats/targets.ts';
import { Changed, groupEvent } from '../protocol/schema/groups.ts';
import { Id } from '../protocol/schema/types.ts';
import { nameOf } from '../users/names.ts';
import { defineCommand } from './define.ts';

export const removeUserFromGroup = defineCommand({
  type: 'removeUserFromGroup',
  summary: 'Put a member out of a group',
  description:
    'For the owner, and for admins where it is no admin. Who was put out can be added and join again: see banUser.',
  params: Type.Object({ groupId: Id, userId: Id }),
  result: Changed,
  cost: 2,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER', 'FORBIDDEN'],
  push: {
    summary: 'Somebody was put out of a group; the last that this user gets of it',
    fields: groupEvent({ userId: Id }),
  },
  async handle({ groupId, userId }, context) {
    return changeGroup(context, 'removeUserFromGroup', groupId, async (change) => {
      const own = change.member();
      requireRole(own, 'owner', 'admin');
      const { user, member } = await targetIn(context, change, userId);
      assertOutranks(own, member);
      await removeMembers(context, change, userId);
      return {
        content: `${nameOf(change.actor)} removed ${nameOf(user)}`,
        fields: { userId },
        left: [userId],
      };
    });
  },
});
