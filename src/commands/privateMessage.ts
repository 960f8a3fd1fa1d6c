import { Type } from 'typebox';
import { sent } from '../messages/drafts.ts';
import { ClientMessageId, Content, Id, Sent } from '../schema/types.ts';
import { defineCommand } from './define.ts';

export const privateMessage = defineCommand({
  type: 'privateMessage',
  summary: 'Write a message to a person',
  description:
    'The reply means that the message is committed. Written to oneself, it is a note that all own connections see.',
  params: Type.Object({ receiverId: Id, content: Content, clientMessageId: Type.Optional(ClientMessageId) }),
  result: Sent,
  errors: ['NOT_FOUND', 'CONFLICT'],
  push: {
    summary: 'Somebody wrote to this user, or this user wrote from another connection',
    fields: Type.Object({ ...Sent.properties, senderId: Id, receiverId: Id }),
  },
  pipelined: true,
  async handle({ receiverId, content, clientMessageId }, { session, origin, writer }) {
    const draft = {
      senderId: session.userId,
      to: { receiverId },
      kind: 'text',
      content,
      clientMessageId,
      origin,
    } as const;
    return sent(await writer.write(draft));
  },
});
