import { Type } from 'typebox';
import { newestChats, type ChatRow as Row } from '../chats/chatList.sql.ts';
import { wire } from '../database/wire.ts';
import { DEFAULT_LIMIT } from '../messages/history.ts';
import { ROWS } from '../protocol/cursor.ts';
import { ChatRow } from '../protocol/schema/chats.ts';
import { Limit, Page } from '../protocol/schema/types.ts';
import { defineRead } from './define.ts';

export const listLastMessage = defineRead({
  type: 'listLastMessage',
  summary: 'List the chats of this user, each with its newest message, newest first',
  params: Type.Object({
    limit: Limit,
    page: Page,
    archived: Type.Optional(
      Type.Boolean({ description: 'True: only archived chats; false: only others; default: both' }),
    ),
  }),
  result: Type.Object({ data: Type.Array(ChatRow, ROWS) }),
  cost: 1,
  errors: [],
  async handle({ limit = DEFAULT_LIMIT, page = 1, archived }, { session, db }) {
    const bind = [session.userId, limit, (page - 1) * limit, archived ?? null];
    return { data: (await db.query<Row>(newestChats, bind)).map(wire) };
  },
});
