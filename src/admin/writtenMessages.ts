import type { Queries } from '../database/database.ts';
import type { ChatId, UserId } from '../ids.ts';

/** Messages scanned per statement, which takes some tens of milliseconds. */
const MESSAGES_AT_ONCE = 10_000;

/** A range of messages of a chat: `seq` greater than `after` and up to `to`. */
interface Span {
  readonly chat: ChatId;
  readonly after: number;
  readonly to: number;
}

/**
 * Runs a statement over all messages that a user may have written, range by range, and yields the rows. There is no
 * index on the sender, because it would slow down every send; instead all chats that the user is or was in are scanned,
 * at most 10,000 messages per statement. $1 is the user, $2 the spans of {@link inSpans}.
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

/** The spans of $2, for a lateral join. */
export const inSpans = 'jsonb_to_recordset($2::jsonb) as span (chat bigint, after bigint, "to" bigint)';

/** Messages of user $1 in one span. `offset 0` makes PostgreSQL use the primary key for the join. */
export const writtenInSpan = `(
  select * from messages
  where chat_id = span.chat and seq > span.after and seq <= span.to and sender_id = $1 and kind = 'text'
  offset 0
)`;

/** Divides chats into lists of spans with at most `messages` messages each. */
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
