import { Type } from 'typebox';

import { changeGroup, insertMembers } from '../chats/groupChange.ts';
import { ApiError } from '../protocol/errors.ts';
import { Changed, MemberEvent } from '../protocol/schema/groups.ts';
import { IdOfGroup } from '../protocol/schema/types.ts';
import { nameOf } from '../users/names.ts';
import { defineCommand } from './define.ts';

export const joinGroup = defineCommand({
  type: 'joinGroup',
  summary: 'Join a public group',
  description: 'If this user is already a member, nothing changes.',
  params: Type.Object({ groupId: IdOfGroup }),
  result: Changed,
  repeatable: true,
  storesMessage: false,
  ordered: true,
  cost: 2,
  errors: ['NOT_FOUND', 'FORBIDDEN'],
  push: { summary: 'A user joined a group', fields: MemberEvent },
  async handle({ groupId }, context) {
    const { session, db } = context;
    const { userId } = session;
    return changeGroup(context, 'joinGroup', groupId, async (change) => {
      const { transaction, group, actor, membership } = change;
      if (membership) return undefined;
      if (group.isPrivate) throw new ApiError('FORBIDDEN', 'This group is private; an invite is required');
      if (await db.bans.findOne({ where: { chatId: groupId, userId }, transaction }))
        throw new ApiError('FORBIDDEN', 'You are banned from this group');
      await insertMembers(context, change, [userId]);
      return { content: `${nameOf(actor)} joined the group`, fields: { userId }, joined: [userId] };
    });
  },
});
