import { Type } from 'typebox';
import { ApiError } from '../errors.ts';
import { assertWrittenByUser } from '../messages/changeMessage.ts';
import { readLiveMessage } from '../messages/read.ts';
import { ClientMessageId, Id, inChat } from '../schema/types.ts';
import { definePreparedSend } from './define.ts';

export const forwardMessage = definePreparedSend({
  type: 'forwardMessage',
  summary: 'Write a message of one chat in another, naming who wrote it first',
  description: 'Others get it as privateMessage or messageInGroup, with forwardedFrom.',
  params: inChat({
    messageId: Id,
    silent: Type.Optional(Type.Boolean({ description: 'True: it does not count as unread' })),
    clientMessageId: Type.Optional(ClientMessageId),
  }),
  errors: ['NOT_FOUND', 'NOT_A_MEMBER', 'FORBIDDEN', 'CONFLICT'],
  async prepare({ messageId, receiverId, groupId, silent, clientMessageId }, { session, db }) {
    const to = groupId === undefined ? receiverId !== undefined && { receiverId } : { groupId };
    if (!to) throw new ApiError('BAD_REQUEST', 'receiverId or groupId is required');
    if (clientMessageId !== undefined) {
      // The writer answers a repeat with the first result, whatever became of the original since.
      const known = await db.messages.findOne({ where: { senderId: session.userId, clientMessageId } });
      if (known) return { to, content: known.content, clientMessageId };
    }
    const original = await readLiveMessage(db, session.userId, messageId);
    assertWrittenByUser(original);
    const { content, custom, senderId } = original;
    const forwardedFrom = original.forwardedFrom ?? senderId;
    return { to, content, clientMessageId, extras: { silent, custom: custom ?? undefined, forwardedFrom } };
  },
});
