import { Type } from 'typebox';
import { pushToChat } from '../chats/publish.ts';
import { seatIn } from '../chats/seats.ts';
import { ChatAddress } from '../schema/chats.ts';
import { inChat } from '../schema/types.ts';
import { nameOf } from '../users/names.ts';
import { activeUser } from '../users/users.ts';
import { defineCommand } from './define.ts';

/** Seconds after which a receiver takes somebody who said nothing more for no longer typing. */
const EXPIRES_IN = 6;

export const typing = defineCommand({
  type: 'typing',
  summary: 'Show the others in a chat that this user is typing, or has stopped',
  description: `Say it again every few seconds: without, it expires at the receivers after ${EXPIRES_IN}. Never stored.`,
  params: inChat({ typing: Type.Boolean() }),
  result: Type.Object({}),
  errors: ['NOT_FOUND', 'NOT_A_MEMBER'],
  rate: { burst: 10, perSecond: 2 },
  push: {
    summary: 'Somebody is typing, or has stopped',
    fields: Type.Object({
      ...ChatAddress,
      typing: Type.Boolean(),
      expiresInSeconds: Type.Integer({ description: 'Without another word, it is over then' }),
    }),
  },
  async handle({ typing, ...address }, context) {
    const {
      session: { userId },
      db,
    } = context;
    const { chat } = await seatIn(db, userId, address);
    const deaf = await db.select<{ id: number }>(blockers, [chat.id, userId]);
    const senderName = nameOf(await activeUser(db, userId));
    pushToChat(context, chat, {
      type: 'typing',
      senderName,
      fields: { typing, expiresInSeconds: EXPIRES_IN },
      exceptUsers: deaf.map(({ id }) => id),
      isPassing: true,
    });
    return {};
  },
});

/** Who of a chat has blocked the one who types, or is blocked: from the few blocks, not the many members. */
const blockers = `
select member.user_id as id
from (
  select user_id as id from blocks where blocked_id = $2 union select blocked_id from blocks where user_id = $2
) other
join chat_members member on member.chat_id = $1 and member.user_id = other.id
`;
