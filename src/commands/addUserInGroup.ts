import { Type } from 'typebox';

import { addMembers } from '../chats/addMembers.ts';
import { changeGroup } from '../chats/groupChange.ts';
import { requireRole } from '../chats/membership.ts';
import { MemberEvent } from '../protocol/schema/groups.ts';
import { IdOfGroup, IdOfUser, Sent } from '../protocol/schema/types.ts';
import { nameOf } from '../users/names.ts';
import { defineCommand } from './define.ts';

export const addUserInGroup = defineCommand({
  type: 'addUserInGroup',
  summary: 'Add a user to a group',
  description:
    'Allowed for members who may add users (whoMayAdd). The setting historyFrom decides which part of the history the new member sees.',
  params: Type.Object({ groupId: IdOfGroup, userId: IdOfUser }),
  result: Sent,
  repeatable: false,
  storesMessage: false,
  ordered: true,
  cost: 2,
  managesGroup: true,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER', 'ALREADY_A_MEMBER', 'FORBIDDEN'],
  push: {
    summary: 'A user was added to a group; the added user receives this push as well',
    fields: MemberEvent,
  },
  async handle({ groupId, userId }, context) {
    return changeGroup(context, 'addUserInGroup', groupId, async (change) => {
      const member = change.member();
      if (change.group.whoMayAdd === 'admins') requireRole(member, 'owner', 'admin');
      const [added] = await addMembers(context, change, [userId]);
      const content = `${nameOf(change.actor)} added ${nameOf(added)}`;
      return { content, fields: { userId }, joined: [userId] };
    });
  },
});
