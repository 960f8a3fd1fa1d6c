import { Type } from 'typebox';
import { actingIn } from '../chats/actingMember.ts';
import { pushToChat } from '../chats/publish.ts';
import { MANY_MEMBERS, SHOWN_AGAIN_SECONDS, SHOWN_TYPISTS, TYPING_SECONDS } from '../chats/Typists.ts';
import { prepared } from '../database/statements.ts';
import type { UserId } from '../ids.ts';
import { ChatAddress } from '../protocol/schema/chats.ts';
import { Empty, inChat } from '../protocol/schema/types.ts';
import { assertNotDeleted } from '../users/users.ts';
import { defineCommand } from './define.ts';

const Typing = Type.Boolean({ description: 'False if the user has stopped' });

export const typing = defineCommand({
  type: 'typing',
  summary: 'Show the other members of a chat that this user is typing, or has stopped',
  description:
    `Repeat it every few seconds: otherwise the receivers let it expire after ${TYPING_SECONDS} seconds. It is not stored. In a group ` +
    `of ${MANY_MEMBERS} members or more, the server pushes about ${SHOWN_TYPISTS} typing users at a time, and each again after ${SHOWN_AGAIN_SECONDS} seconds.`,
  params: inChat({ typing: Typing }),
  result: Empty,
  repeatable: false,
  storesMessage: false,
  ordered: false,
  cost: 1,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER'],
  rate: { burst: 10, perSecond: 2 },
  push: {
    summary: 'A user is typing, or has stopped',
    fields: Type.Object({
      ...ChatAddress,
      typing: Typing,
      expiresInSeconds: Type.Integer({
        description: 'The indicator expires after this time unless it is repeated',
      }),
    }),
  },
  async handle({ typing, ...address }, context) {
    const {
      session: { userId },
      db,
      typists,
    } = context;
    const { chat, senderName } = await actingIn(db, userId, address);
    if (!typists.accepts(chat, userId, typing, performance.now())) return {};
    await assertNotDeleted(db, chat, userId);
    const blocked = await db.query<{ id: UserId }>(blockers, [chat.id, userId]);
    pushToChat(context, chat, {
      type: 'typing',
      senderName,
      fields: { typing, expiresInSeconds: TYPING_SECONDS },
      exceptUsers: blocked.map(({ id }) => id),
      isTransient: true,
    });
    return {};
  },
});

/** Members of a chat between whom and the typing user there is a block: from the few blocks, not the many members. */
const blockers = prepared(
  'blockers in chat',
  `
select member.id
from (
  select user_id as id from blocks where blocked_id = $2 union select blocked_id from blocks where user_id = $2
) other
cross join lateral (
  select user_id as id from chat_members where chat_id = $1 and user_id = other.id limit 1
) member
`,
);
