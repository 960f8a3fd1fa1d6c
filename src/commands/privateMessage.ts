import { Type } from 'typebox';
import { extrasOf } from '../messages/drafts.ts';
import { SendOptions, SentExtras } from '../protocol/schema/messages.ts';
import { ClientMessageId, Content, Id, Sent } from '../protocol/schema/types.ts';
import { defineSend } from './define.ts';

export const privateMessage = defineSend({
  type: 'privateMessage',
  summary: 'Write a message to a person',
  description:
    'The reply means that the message is committed. Written to oneself, it is a note that all own connections see.',
  params: Type.Object({
    receiverId: Id,
    content: Content,
    clientMessageId: Type.Optional(ClientMessageId),
    ...SendOptions,
  }),
  errors: ['NOT_FOUND', 'NOT_A_MEMBER', 'FORBIDDEN', 'CONFLICT'],
  push: {
    summary: 'Somebody wrote to this user, or this user wrote from another connection',
    fields: Type.Object({ ...Sent.properties, senderId: Id, receiverId: Id, ...SentExtras }),
  },
  draft: ({ receiverId, content, clientMessageId, ...options }) => ({
    to: { receiverId },
    content,
    clientMessageId,
    extras: extrasOf(options),
  }),
});
