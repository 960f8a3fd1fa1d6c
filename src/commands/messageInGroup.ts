import { Type } from 'typebox';
import { sent } from '../messages/drafts.ts';
import { ClientMessageId, Content, Id, Sent } from '../schema/types.ts';
import { defineCommand } from './define.ts';

export const messageInGroup = defineCommand({
  type: 'messageInGroup',
  summary: 'Write a message in a group',
  description: 'The reply means that the message is committed.',
  params: Type.Object({ groupId: Id, content: Content, clientMessageId: Type.Optional(ClientMessageId) }),
  result: Sent,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER', 'CONFLICT'],
  push: {
    summary: 'Somebody wrote in a group',
    fields: Type.Object({ ...Sent.properties, senderId: Id, groupId: Id }),
  },
  pipelined: true,
  async handle({ groupId, content, clientMessageId }, { session, origin, writer }) {
    const draft = {
      senderId: session.userId,
      to: { groupId },
      kind: 'text',
      content,
      clientMessageId,
      origin,
    } as const;
    return sent(await writer.write(draft));
  },
});
