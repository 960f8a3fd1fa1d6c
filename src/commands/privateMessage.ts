import { Type } from 'typebox';
import { extrasOf } from '../messages/drafts.ts';
import { SendOptions, SentExtras } from '../protocol/schema/messages.ts';
import { ClientMessageId, Content, described, Id, IdOfUser, Sent } from '../protocol/schema/types.ts';
import { defineSend } from './define.ts';

export const privateMessage = defineSend({
  type: 'privateMessage',
  summary: 'Send a message to a person',
  description:
    'The reply means that the message is committed. A message to oneself is a note that all connections of this user receive.',
  params: Type.Object({
    receiverId: IdOfUser,
    content: Content,
    clientMessageId: Type.Optional(ClientMessageId),
    ...SendOptions,
  }),
  cost: 1,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER', 'FORBIDDEN', 'CONFLICT'],
  push: {
    summary: 'A message to this user, or a message that this user sent on another connection',
    fields: Type.Object({
      ...Sent.properties,
      senderId: described(Id.user, 'The author'),
      receiverId: described(Id.user, 'The receiver'),
      ...SentExtras,
    }),
  },
  draft: ({ receiverId, content, clientMessageId, ...options }) => ({
    to: { receiverId },
    content,
    clientMessageId,
    extras: extrasOf(options),
  }),
});
