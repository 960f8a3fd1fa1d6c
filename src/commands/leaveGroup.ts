import { Type } from 'typebox';
import { deliveredBefore } from '../chats/groupChange.ts';
import { leave } from '../chats/leave.ts';
import { groupEvent } from '../protocol/schema/groups.ts';
import { described, Id, IdOfGroup, Sent } from '../protocol/schema/types.ts';
import { defineCommand } from './define.ts';

export const leaveGroup = defineCommand({
  type: 'leaveGroup',
  summary: 'Leave a group; this user can no longer read it',
  description:
    'If the owner leaves, the longest-serving admin becomes the owner, or else the longest-serving member. When the last member leaves, the group is closed.',
  params: Type.Object({ groupId: IdOfGroup }),
  result: Sent,
  repeatable: false,
  storesMessage: false,
  ordered: true,
  cost: 2,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER'],
  push: {
    summary: 'A user left a group; the other connections of that user receive this push as well',
    fields: groupEvent({
      userId: described(Id.user, 'The user who left'),
      ownerId: Type.Optional(described(Id.user, 'The new owner of the group')),
    }),
  },
  async handle({ groupId }, context) {
    const left = await leave(context, groupId);
    await deliveredBefore(context.bus, groupId, left);
    return left;
  },
});
