import { Type } from 'typebox';

import { addMembers } from '../chats/addMembers.ts';
import { admit } from '../chats/changeGroup.ts';
import { listed, refuseTakenName } from '../chats/names.ts';
import { ApiError } from '../errors.ts';
import { sent } from '../messages/drafts.ts';
import { GroupSettings, groupEvent } from '../schema/groups.ts';
import { ClientMessageId, GroupName, Id, UserIds } from '../schema/types.ts';
import { chatTopic, userTopic } from '../socket/Connections.ts';
import { encodePush } from '../socket/frames.ts';
import { nameOf } from '../users/names.ts';
import { activeUser } from '../users/users.ts';
import { defineCommand } from './define.ts';

export const newGroup = defineCommand({
  type: 'newGroup',
  summary: 'Create a group; its creator becomes the owner and first member',
  params: Type.Object({
    ...GroupSettings,
    groupName: GroupName,
    userIds: Type.Optional({ ...UserIds, description: 'Up to 100 users to add at once' }),
    clientMessageId: Type.Optional(ClientMessageId),
  }),
  result: Type.Object({ groupId: Id }),
  cost: 5,
  errors: ['NOT_FOUND', 'FORBIDDEN', 'CONFLICT'],
  push: {
    summary: 'Somebody created a group with this user in it, or this user did from another connection',
    fields: groupEvent({ groupName: GroupName, userId: Id, userIds: Type.Array(Id) }),
  },
  async handle({ groupName, userIds = [], clientMessageId = null, ...settings }, context) {
    const { session, origin, writer, bus, db } = context;
    const { userId } = session;
    const invited = [...new Set(userIds)].filter((id) => id !== userId);

    const created = await writer.change(async (transaction, write) => {
      const actor = await activeUser(db, userId, transaction);
      if (clientMessageId !== null) {
        const known = await db.messages.findOne({
          where: { senderId: userId, clientMessageId },
          transaction,
        });
        if (known && known.custom?.type !== 'newGroup')
          throw new ApiError('CONFLICT', 'This clientMessageId stands for a message');
        if (known) return { groupId: known.chatId, stored: undefined };
      }
      const group = await db.chats
        .create(
          { ...settings, kind: 'group', name: groupName, createdBy: userId, memberCount: invited.length + 1 },
          { transaction },
        )
        .catch(refuseTakenName);
      await group.reload({ transaction });
      const scene = { transaction, group, actor };
      await admit(context, scene, [userId], 'owner');
      const names = (await addMembers(context, scene, invited)).map(nameOf);
      const content = `${nameOf(actor)} created the group "${groupName}"${names.length > 0 ? ` with ${listed(names)}` : ''}`;
      const fields = { groupName, userId, userIds: invited };
      const stored = await write({
        senderId: userId,
        to: { groupId: group.id },
        kind: 'system',
        content,
        ...(clientMessageId !== null && { clientMessageId }),
        extras: { custom: { type: 'newGroup', ...fields } },
        origin,
      });
      return { groupId: group.id, stored, content, fields };
    });

    const { groupId, stored, content, fields } = created;
    if (!stored) return { groupId };
    for (const id of [userId, ...invited])
      bus.publish(userTopic(id), { signal: { kind: 'joined', chatId: groupId, seq: stored.seq } });
    const all = { ...sent(stored), senderId: userId, groupId, ...fields };
    bus.publish(chatTopic(groupId), {
      frame: encodePush('newGroup', content, stored.senderName, all),
      except: origin,
      place: { chatId: groupId, seq: stored.seq },
    });
    return { groupId };
  },
});
