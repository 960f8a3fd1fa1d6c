import { Type } from 'typebox';
import { assertWrittenByUser } from '../messages/changeMessage.ts';
import { sendReply } from '../messages/drafts.ts';
import { readLiveMessage, readWritten } from '../messages/read.ts';
import { ApiError } from '../protocol/errors.ts';
import { ForwardReply } from '../protocol/schema/messages.ts';
import { ClientMessageId, IdOfMessage, inChat } from '../protocol/schema/types.ts';
import { definePreparedSend } from './define.ts';

export const forwardMessage = definePreparedSend({
  type: 'forwardMessage',
  summary: 'Send a copy of a message to another chat, with the name of its author',
  description: 'It is pushed as privateMessage or messageInGroup, with forwardedFrom and forwardedFromName.',
  params: inChat({
    messageId: IdOfMessage,
    silent: Type.Optional(Type.Boolean({ description: 'If true, the message does not count as unread' })),
    clientMessageId: Type.Optional(ClientMessageId),
  }),
  result: ForwardReply,
  cost: 1,
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
    const { content, senderId, senderName } = original;
    const custom = original.custom ?? undefined;
    const forwardedFrom = original.forwardedFrom ?? senderId;
    const forwardedFromName = original.forwardedFromName ?? senderName;
    return {
      to,
      content,
      clientMessageId,
      extras: { silent, custom, forwardedFrom, forwardedFromName },
    };
  },
  reply: (
    stored,
    { content, extras: { custom = null, forwardedFrom = null, forwardedFromName = null } = {} },
  ) => ({
    ...sendReply(stored),
    content,
    custom,
    forwardedFrom,
    forwardedFromName,
  }),
  async repeat(stored, { session, db }) {
    const row = await readWritten(db, session.userId, stored.messageId);
    const { content, custom, forwardedFrom, forwardedFromName } = row;
    return { ...sendReply(stored), content, custom, forwardedFrom, forwardedFromName };
  },
});
