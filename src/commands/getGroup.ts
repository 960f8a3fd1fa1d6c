import { Type } from 'typebox';

import { groupRow } from '../chats/groups.ts';
import { openGroup } from '../chats/membership.ts';
import { ApiError } from '../protocol/errors.ts';
import { Group } from '../protocol/schema/groups.ts';
import { IdOfGroup } from '../protocol/schema/types.ts';
import { defineRead } from './define.ts';

export const getGroup = defineRead({
  type: 'getGroup',
  summary: 'Read the properties of a group of this user, or of a public group',
  params: Type.Object({ groupId: IdOfGroup }),
  result: Type.Object({ data: Group }),
  cost: 1,
  managesGroup: true,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER'],
  async handle({ groupId }, { session, db }) {
    const group = await openGroup(db, groupId);
    const member = await db.members.findOne({ where: { chatId: groupId, userId: session.userId } });
    if (!member && group.isPrivate) throw new ApiError('NOT_A_MEMBER');
    return { data: groupRow(group, member?.role ?? null) };
  },
});
