import { Type } from 'typebox';
import { ClientMessageId, Content, Id, Sent } from '../schema/types.ts';
import { defineSend } from './define.ts';

export const privateMessage = defineSend({
  type: 'privateMessage',
  summary: 'Write a message to a person',
  description:
    'The reply means that the message is committed. Written to oneself, it is a note that all own connections see.',
  params: Type.Object({ receiverId: Id, content: Content, clientMessageId: Type.Optional(ClientMessageId) }),
  errors: ['NOT_FOUND', 'NOT_A_MEMBER', 'CONFLICT'],
  push: {
    summary: 'Somebody wrote to this user, or this user wrote from another connection',
    fields: Type.Object({ ...Sent.properties, senderId: Id, receiverId: Id }),
  },
  draft: ({ receiverId, ...message }) => ({ to: { receiverId }, ...message }),
});
