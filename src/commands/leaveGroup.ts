import { Type } from 'typebox';
import { groupOfMember } from '../chats/groups.ts';
import { sent } from '../messages/drafts.ts';
import { Id, Sent } from '../schema/types.ts';
import { chatTopic, userTopic } from '../socket/Connections.ts';
import { encodePush } from '../socket/frames.ts';
import { nameOf } from '../users/names.ts';
import { activeUser } from '../users/users.ts';
import { defineCommand } from './define.ts';

export const leaveGroup = defineCommand({
  type: 'leaveGroup',
  summary: 'Leave a group; nothing of it is seen any more from then on',
  params: Type.Object({ groupId: Id }),
  result: Sent,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER'],
  push: {
    summary: 'Somebody left a group; the other connections of who left get it, too',
    fields: Type.Object({ ...Sent.properties, groupId: Id, userId: Id }),
  },
  async handle({ groupId }, { session: { userId }, origin, writer, bus, db }) {
    const { stored, content } = await writer.change(async (transaction, write) => {
      await groupOfMember(db, groupId, userId, transaction);
      const content = `${nameOf(await activeUser(db, userId, transaction))} left the group`;
      const stored = await write({ senderId: userId, to: { groupId }, kind: 'system', content, origin });
      await db.members.destroy({ where: { chatId: groupId, userId }, transaction });
      return { stored, content };
    });

    const frame = encodePush('leaveGroup', content, stored.senderName, { ...sent(stored), groupId, userId });
    bus.publish(chatTopic(groupId), { frame, except: origin });
    bus.publish(userTopic(userId), { signal: { kind: 'left', chatId: groupId } });
    return sent(stored);
  },
});
