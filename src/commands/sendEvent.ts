import { Type } from 'typebox';
import { membershipIn, requireRole } from '../chats/membership.ts';
import { pushToChat } from '../chats/publish.ts';
import { ChatAddress } from '../protocol/schema/chats.ts';
import { Custom, Empty, inChat, Text } from '../protocol/schema/types.ts';
import { assertNotBlocked } from '../users/blocks.ts';
import { nameOf } from '../users/names.ts';
import { activeUser, assertNotDeleted } from '../users/users.ts';
import { defineCommand } from './define.ts';

const EventName = Text(1, 64, 'Name of the event, chosen by your application');

export const sendEvent = defineCommand({
  type: 'sendEvent',
  summary: 'Send an event of your application to the open connections of a chat; it is not stored',
  description: 'Allowed for users who may send messages to the chat.',
  params: inChat({ event: EventName, custom: Type.Optional(Custom) }),
  result: Empty,
  repeatable: false,
  storesMessage: false,
  ordered: false,
  cost: 1,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER', 'FORBIDDEN'],
  rate: { burst: 100, perSecond: 20 },
  push: {
    summary: 'A user sent an event of the application',
    fields: Type.Object({
      ...ChatAddress,
      event: EventName,
      custom: Type.Optional(Custom),
    }),
  },
  async handle({ event, custom, ...address }, context) {
    const { session, db } = context;
    const { chat, member } = await membershipIn(db, session.userId, address);
    if (chat.whoMayPost === 'admins') requireRole(member, 'owner', 'admin');
    await assertNotDeleted(db, chat, session.userId);
    await assertNotBlocked(db, chat, session.userId);
    const senderName = nameOf(await activeUser(db, session.userId));
    pushToChat(context, chat, {
      type: 'sendEvent',
      senderName,
      fields: { event, custom },
      isTransient: true,
    });
    return {};
  },
});
