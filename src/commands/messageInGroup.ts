import { Type } from 'typebox';
import { extrasOf } from '../messages/drafts.ts';
import { SendOptions, SentExtras } from '../protocol/schema/messages.ts';
import { ClientMessageId, Content, described, Id, IdOfGroup, Sent } from '../protocol/schema/types.ts';
import { defineSend } from './define.ts';

export const messageInGroup = defineSend({
  type: 'messageInGroup',
  summary: 'Send a message to a group',
  description: 'The reply means that the message is committed.',
  params: Type.Object({
    groupId: IdOfGroup,
    content: Content,
    clientMessageId: Type.Optional(ClientMessageId),
    ...SendOptions,
  }),
  cost: 1,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER', 'FORBIDDEN', 'CONFLICT'],
  push: {
    summary: 'A user sent a message to a group',
    fields: Type.Object({
      ...Sent.properties,
      senderId: described(Id.user, 'The author'),
      groupId: Id.group,
      ...SentExtras,
    }),
  },
  draft: ({ groupId, content, clientMessageId, ...options }) => ({
    to: { groupId },
    content,
    clientMessageId,
    extras: extrasOf(options),
  }),
});
