import { Type } from 'typebox';
import { ClientMessageId, Content, Id, Sent } from '../schema/types.ts';
import { defineSend } from './define.ts';

export const messageInGroup = defineSend({
  type: 'messageInGroup',
  summary: 'Write a message in a group',
  description: 'The reply means that the message is committed.',
  params: Type.Object({ groupId: Id, content: Content, clientMessageId: Type.Optional(ClientMessageId) }),
  errors: ['NOT_FOUND', 'NOT_A_MEMBER', 'CONFLICT'],
  push: {
    summary: 'Somebody wrote in a group',
    fields: Type.Object({ ...Sent.properties, senderId: Id, groupId: Id }),
  },
  draft: ({ groupId, ...message }) => ({ to: { groupId }, ...message }),
});
