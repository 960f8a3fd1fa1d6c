import { Type } from 'typebox';

import { changeGroup, dismiss } from '../chats/changeGroup.ts';
import { assertRole } from '../chats/seats.ts';
import { groupEvent } from '../schema/groups.ts';
import { Id } from '../schema/types.ts';
import { nameOf } from '../users/names.ts';
import { defineCommand } from './define.ts';

export const deleteGroup = defineCommand({
  type: 'deleteGroup',
  summary: 'Delete a group for everybody',
  description: 'For the owner. Nothing of it can be read any more, and its name is free.',
  params: Type.Object({ groupId: Id }),
  result: Type.Object({}),
  cost: 2,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER', 'FORBIDDEN'],
  push: { summary: 'A group was deleted; the last that comes of it', fields: groupEvent({}) },
  async handle({ groupId }, context) {
    await changeGroup(context, 'deleteGroup', groupId, async (scene) => {
      assertRole(scene.member(), 'owner');
      const members = await context.db.members.findAll({
        attributes: ['userId'],
        where: { chatId: groupId },
        transaction: scene.transaction,
      });
      const left = members.map(({ userId }) => userId);
      await dismiss(context, scene, ...left);
      return { content: `${nameOf(scene.actor)} deleted the group`, fields: {}, left, closes: true };
    });
    return {};
  },
});
