import { Type } from 'typebox';
import { prepared } from '../database/statements.ts';
import { DEFAULT_LIMIT } from '../messages/history.ts';
import { type MessageRow, messageOf, readMessage, selectMessages } from '../messages/read.ts';
import { Cursor, NextCursor, ROWS } from '../protocol/cursor.ts';
import { Message } from '../protocol/schema/messages.ts';
import { IdOfMessage, Limit } from '../protocol/schema/types.ts';
import { defineRead } from './define.ts';

export const getThread = defineRead({
  type: 'getThread',
  summary: 'List the replies to a message, oldest first',
  params: Type.Object({ messageId: IdOfMessage, limit: Limit, cursor: Cursor }),
  result: Type.Object({ data: Type.Array(Message, ROWS), nextCursor: NextCursor }),
  cost: 1,
  errors: ['NOT_FOUND'],
  async handle({ messageId, limit = DEFAULT_LIMIT, cursor }, { session, db, cursors }) {
    await readMessage(db, session.userId, messageId);
    const rows = await db.query<MessageRow>(replies, [
      session.userId,
      messageId,
      cursors.idFrom(cursor, 0),
      limit + 1,
    ]);
    return cursors.pageOf(rows.map(messageOf), limit, ({ seq }) => [seq]);
  },
});

/** Index messages_replies: a reply is in the chat of what it replies to, and later. */
const replies = prepared(
  'replies',
  `${selectMessages}
where message.reply_to = $2 and message.seq > $3
order by message.seq
limit $4
`,
);
