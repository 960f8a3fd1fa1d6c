import { Type } from 'typebox';
import { prepared } from '../database/statements.ts';
import type { UserId } from '../ids.ts';
import { DEFAULT_LIMIT } from '../messages/history.ts';
import { readMessage } from '../messages/read.ts';
import { Cursor, NextCursor, ROWS } from '../protocol/cursor.ts';
import { Id, IdOfMessage, Limit, UserName } from '../protocol/schema/types.ts';
import { nameOfUser } from '../users/names.ts';
import { defineRead } from './define.ts';

export const getReceipts = defineRead({
  type: 'getReceipts',
  summary: 'List who received and who read a message',
  description:
    'The list contains the members at the time of the message, without its author. While one of the two people of a dialog has blocked the other, it shows the state at the beginning of the block.',
  params: Type.Object({ messageId: IdOfMessage, limit: Limit, cursor: Cursor }),
  result: Type.Object({
    data: Type.Array(
      Type.Object(
        {
          userId: Id.user,
          username: UserName,
          delivered: Type.Boolean({ description: 'True if the user received the message' }),
          read: Type.Boolean({ description: 'True if the user read the message' }),
        },
        { title: 'Receipt', description: 'Whether a user received and read a message' },
      ),
      ROWS,
    ),
    nextCursor: NextCursor,
  }),
  cost: 1,
  errors: ['NOT_FOUND'],
  async handle({ messageId, limit = DEFAULT_LIMIT, cursor }, { session, db, cursors }) {
    const { chatId, seq, senderId, createdAt } = await readMessage(db, session.userId, messageId);
    const after = cursors.idFrom(cursor, 0);
    const bind = [chatId, seq, senderId, createdAt, after, limit + 1, session.userId];
    return cursors.pageOf(await db.query<Row>(positions, bind), limit, ({ userId }) => [userId]);
  },
});

interface Row {
  readonly userId: UserId;
  readonly username: string;
  readonly delivered: boolean;
  readonly read: boolean;
}

/**
 * Along the members of the chat $1, by the primary key, from the user $5 on: no more of them than it takes for $6 who were
 * there when the message was written.
 */
const positions = prepared(
  'receipts',
  `
select user_id as "userId", ${nameOfUser('user_id')} as username,
  case when user_id = $7 then delivered_seq else coalesce(shown_delivered_seq, delivered_seq) end >= $2 as delivered,
  case when user_id = $7 then read_seq else coalesce(shown_read_seq, read_seq) end >= $2 as read
from chat_members
where chat_id = $1 and user_id <> $3 and joined_at <= $4 and user_id > $5
order by user_id
limit $6
`,
);
