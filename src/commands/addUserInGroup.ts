import { Type } from 'typebox';
import { groupOfMember } from '../chats/groups.ts';
import { violatedColumn } from '../database/failures.ts';
import { ApiError } from '../errors.ts';
import { sent } from '../messages/drafts.ts';
import { Id, Sent } from '../schema/types.ts';
import { chatTopic, userTopic } from '../socket/Connections.ts';
import { encodePush } from '../socket/frames.ts';
import { nameOf } from '../users/names.ts';
import { activeUser } from '../users/users.ts';
import { defineCommand } from './define.ts';

export const addUserInGroup = defineCommand({
  type: 'addUserInGroup',
  summary: 'Add a user to a group one is in',
  description: 'The new member sees the history from the beginning.',
  params: Type.Object({ groupId: Id, userId: Id }),
  result: Sent,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER', 'ALREADY_A_MEMBER'],
  push: {
    summary: 'Somebody added a user to a group; the added user gets it, too',
    fields: Type.Object({ ...Sent.properties, groupId: Id, userId: Id }),
  },
  async handle({ groupId, userId }, { session, origin, writer, bus, db }) {
    const { stored, content } = await writer.change(async (transaction, write) => {
      await groupOfMember(db, groupId, session.userId, transaction);
      const actor = await activeUser(db, session.userId, transaction);
      const added = await activeUser(db, userId, transaction);
      const member = { chatId: groupId, userId };
      if (await db.members.findOne({ where: member, transaction })) throw new ApiError('ALREADY_A_MEMBER');
      await db.members.create(member, { transaction }).catch((error) => {
        // another node was faster
        throw violatedColumn(error) ? new ApiError('ALREADY_A_MEMBER') : error;
      });
      const content = `${nameOf(actor)} added ${nameOf(added)}`;
      const stored = await write({
        senderId: session.userId,
        to: { groupId },
        kind: 'system',
        content,
        origin,
      });
      return { stored, content };
    });

    bus.publish(userTopic(userId), { signal: { kind: 'joined', chatId: groupId } });
    const frame = encodePush('addUserInGroup', content, stored.senderName, {
      ...sent(stored),
      groupId,
      userId,
    });
    bus.publish(chatTopic(groupId), { frame, except: origin });
    return sent(stored);
  },
});
