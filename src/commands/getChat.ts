import { Type } from 'typebox';
import { oneChat, type ChatRow as Row } from '../chats/chatList.sql.ts';
import { dialogWith, membershipInGroup } from '../chats/membership.ts';
import { wire } from '../database/wire.ts';
import { ApiError } from '../protocol/errors.ts';
import { ChatRow } from '../protocol/schema/chats.ts';
import { inChat, Nullable } from '../protocol/schema/types.ts';
import { defineRead } from './define.ts';

export const getChat = defineRead({
  type: 'getChat',
  summary: 'Read one row of listLastMessage: the newest message and the unread counts of a chat',
  description: 'data is null for a dialog without messages.',
  params: inChat({}),
  result: Type.Object({ data: Nullable(ChatRow, 'null for a dialog without messages') }),
  cost: 1,
  errors: ['NOT_FOUND', 'NOT_A_MEMBER'],
  async handle({ receiverId, groupId }, { session: { userId }, db }) {
    const chat =
      groupId === undefined
        ? (await dialogWith(db, userId, receiverId)).membership?.chat
        : (await membershipInGroup(db, userId, groupId)).chat;
    const [row] = chat ? await db.query<Row>(oneChat, [userId, chat.id]) : [];
    if (!row && groupId !== undefined) throw new ApiError('NOT_A_MEMBER'); // left in between
    return { data: row ? wire(row) : null };
  },
});
