import { Type } from 'typebox';
import { deliveredBefore } from '../chats/groupChange.ts';
import { leave } from '../chats/leave.ts';
import { groupEvent } from '../protocol/schema/groups.ts';
import { Id, Sent } from '../protocol/schema/types.ts';
import { defineCommand } from './define.ts';

export const leaveGroup = defineCommand({
  type: 'leaveGroup',
  summary: 'Leave a group; nothing of it is seen any more from then on',
  description:
    'An owner who leaves passes the group on to the longest-serving admin, then member. The last one out closes it.',
  params: Type.Object({ groupId: Id }),
  result: Sent,
  cost: 2,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER'],
  push: {
    summary: 'Somebody left a group; the other connections of who left get it, too',
    fields: groupEvent({
      userId: Id,
      ownerId: Type.Optional(Type.Integer({ ...Id, description: 'Who owns the group from now on' })),
    }),
  },
  async handle({ groupId }, context) {
    const left = await leave(context, groupId);
    await deliveredBefore(context.bus, groupId, left);
    return left;
  },
});
