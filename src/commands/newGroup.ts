import { Type } from 'typebox';
import { sent } from '../messages/drafts.ts';
import { GroupName, Id, Sent } from '../schema/types.ts';
import { userTopic } from '../socket/Connections.ts';
import { encodePush } from '../socket/frames.ts';
import { nameOf } from '../users/names.ts';
import { activeUser } from '../users/users.ts';
import { defineCommand } from './define.ts';

export const newGroup = defineCommand({
  type: 'newGroup',
  summary: 'Create a group; its creator becomes the owner and first member',
  params: Type.Object({ groupName: GroupName }),
  result: Type.Object({ groupId: Id }),
  errors: ['NOT_FOUND'],
  push: {
    summary: 'This user created a group from another connection',
    fields: Type.Object({ ...Sent.properties, groupId: Id, groupName: GroupName, userId: Id }),
  },
  async handle({ groupName }, { session: { userId }, origin, writer, bus, db }) {
    const { groupId, stored, content } = await writer.change(async (transaction, write) => {
      const creator = await activeUser(db, userId, transaction);
      const group = await db.chats.create(
        { kind: 'group', name: groupName, createdBy: userId },
        { transaction },
      );
      await db.members.create({ chatId: group.id, userId, role: 'owner' }, { transaction });
      const content = `${nameOf(creator)} created the group "${groupName}"`;
      const stored = await write({
        senderId: userId,
        to: { groupId: group.id },
        kind: 'system',
        content,
        origin,
      });
      return { groupId: group.id, stored, content };
    });

    bus.publish(userTopic(userId), { signal: { kind: 'joined', chatId: groupId } });
    const fields = { ...sent(stored), groupId, groupName, userId };
    const frame = encodePush('newGroup', content, stored.senderName, fields);
    bus.publish(userTopic(userId), { frame, except: origin });
    return { groupId };
  },
});
