import { Type } from 'typebox';
import { prepared } from '../database/statements.ts';
import { DEFAULT_LIMIT } from '../messages/history.ts';
import { type MessageRow, messageOf, selectMessages } from '../messages/read.ts';
import { ROWS } from '../protocol/cursor.ts';
import { ApiError } from '../protocol/errors.ts';
import { Message } from '../protocol/schema/messages.ts';
import { fitting } from '../protocol/schema/page.ts';
import { IdOfMessage, Limit } from '../protocol/schema/types.ts';
import { defineRead } from './define.ts';

export const getMessagesAround = defineRead({
  type: 'getMessagesAround',
  summary: 'Read a message and its neighbours, lowest seq first, to show a message that was found',
  description: 'The page has fewer messages than limit if they are large: continue with getMessages.',
  params: Type.Object({ messageId: IdOfMessage, limit: Limit }),
  result: Type.Object({ data: Type.Array(Message, ROWS) }),
  cost: 1,
  errors: ['NOT_FOUND'],
  async handle({ messageId, limit = DEFAULT_LIMIT }, { session: { userId }, db }) {
    const rows = await db.query<MessageRow>(around, [userId, messageId, limit]);
    const found = rows.find((row) => row.messageId === messageId);
    if (!found) throw new ApiError('NOT_FOUND', `There is no message ${messageId}`);
    const distance = (message: { seq: number }) => Math.abs(message.seq - found.seq);
    const nearest = rows.map(messageOf).sort((one, other) => distance(one) - distance(other));
    return { data: fitting(nearest).sort((one, other) => one.seq - other.seq) };
  },
});

/**
 * The message $2, if the user $1 may see it, and its neighbours, $3 together where there are as many: half of them newer
 * ones, as far as there are any. Found first, so that all are looked up by their keys.
 */
export const around = prepared(
  'messages around',
  `
with span as materialized (
  select message.chat_id, oldest, least(chat.last_seq, oldest + $3::bigint - 1) as newest
  from messages message
  cross join lateral (
    select first_seq from chat_members
    where chat_id = message.chat_id and user_id = $1 and first_seq <= message.seq
    limit 1
  ) member
  cross join lateral (select last_seq from chats where id = message.chat_id and closed_at is null limit 1) chat
  cross join lateral (
    select greatest(member.first_seq, least(chat.last_seq, message.seq + $3::bigint / 2) - $3::bigint + 1) as oldest
  ) lower
  where message.id = $2
)
${selectMessages}
where message.chat_id = (select chat_id from span)
  and message.seq = any (array(select generate_series(oldest, newest) from span))
order by message.seq desc
`,
);
