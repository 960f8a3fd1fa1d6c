import type { Queries } from '../database/database.ts';
import type { ChatId, UserId } from '../ids.ts';

/** Messages that one statement looks through: some tens of milliseconds. */
const MESSAGES_AT_ONCE = 10_000;

/** A part of a chat: the messages above one `seq` and up to another. */
interface Span {
  readonly chat: ChatId;
  readonly after: number;
  readonly to: number;
}

/**
 * Runs statements over all that a person may have written, a part after another, and returns their rows. No index has the
 * messages by their senders, for it would cost every send: the chats are gone through that the person is or was in, at most
 * 10,000 messages in a statement. $1 is the user, $2 the spans of {@link inSpans}.
 */
export async function* throughWritten<Row extends object>(
  db: Queries,
  userId: UserId,
  statement: string,
  messagesAtOnce = MESSAGES_AT_ONCE,
): AsyncGenerator<Row[]> {
  const chats = await db.query<{ id: ChatId; lastSeq: number }>(chatsOf, [userId]);
  for (const spans of spansOf(chats, messagesAtOnce))
    yield await db.query<Row>(statement, [userId, JSON.stringify(spans)]);
}

const chatsOf = `
select id, last_seq as "lastSeq" from chats
where id in (
  select chat_id from chat_members where user_id = $1 union all select chat_id from former_members where user_id = $1
)
order by id
`;

/** The spans of $2, to be joined laterally. */
export const inSpans = 'jsonb_to_recordset($2::jsonb) as span (chat bigint, after bigint, "to" bigint)';

/** Messages of $1 in one span. `offset 0` keeps PostgreSQL from joining it in another way than by the primary key. */
export const writtenInSpan = `(
  select * from messages
  where chat_id = span.chat and seq > span.after and seq <= span.to and sender_id = $1 and kind = 'text'
  offset 0
)`;

/** Divides chats into spans, in lists of so many messages together. */
function* spansOf(
  chats: readonly { readonly id: ChatId; readonly lastSeq: number }[],
  messages: number,
): Generator<Span[]> {
  let spans: Span[] = [];
  let room = messages;
  for (const { id: chat, lastSeq } of chats)
    for (let after = 0; after < lastSeq; ) {
      const to = Math.min(lastSeq, after + room);
      spans.push({ chat, after, to });
      room -= to - after;
      after = to;
      if (room > 0) continue;
      yield spans;
      spans = [];
      room = messages;
    }
  if (spans.length > 0) yield spans;
}
