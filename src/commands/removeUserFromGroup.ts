import { Type } from 'typebox';

import { changeGroup, removeMembers } from '../chats/groupChange.ts';
import { requireRole } from '../chats/membership.ts';
import { assertOutranks, targetIn } from '../chats/ranks.ts';
import { Changed, MemberEvent } from '../protocol/schema/groups.ts';
import { IdOfGroup, IdOfUser } from '../protocol/schema/types.ts';
import { nameOf } from '../users/names.ts';
import { defineCommand } from './define.ts';

export const removeUserFromGroup = defineCommand({
  type: 'removeUserFromGroup',
  summary: 'Remove a member from a group',
  description:
    'Allowed for the owner, and for admins if the member is not an admin. The removed user can be added and can join again; to prevent that, use banUser.',
  params: Type.Object({ groupId: IdOfGroup, userId: IdOfUser }),
  result: Changed,
  repeatable: false,
  storesMessage: false,
  ordered: true,
  cost: 2,
  managesGroup: true,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER', 'FORBIDDEN'],
  push: {
    summary: 'A member was removed from a group; the removed user receives no further push about it',
    fields: MemberEvent,
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
