import { type PreparedStatement, prepared } from '../database/statements.ts';
import { notedBy, withoutWaiting } from './searchIndex.sql.ts';

/** Messages of a segment. */
export const SEGMENT = 64;

/**
 * The next `limit` segments whose last message has come, as of a moment: their contents, and whether a message of theirs
 * may still be without its entry. Such a segment has all parts: the edit of a message without an entry does not say that
 * segments do not know of it. Every chat has its segments without a gap.
 *
 * A row for each, with the progress in each; one with the progress alone where there is none.
 */
export function nextSegments(limit: number): PreparedStatement {
  return prepared(
    `next ${limit} segments`,
    `
select segmented_id as "segmentedId", refolded_id as "refoldedId",
  due.id, due.chat_id as "chatId", due.segment, content.texts, content."isEarly"
from message_search_progress
left join lateral (
  select id, chat_id, seq / ${SEGMENT} as segment from messages
  where id > segmented_id and id <= refolded_id and seq % ${SEGMENT} = ${SEGMENT} - 1
  order by id
  limit ${limit}
) due on true
left join lateral (
  select json_agg(content) as texts, max(id) > refolded_id as "isEarly"
  from messages
  where chat_id = due.chat_id and seq between due.segment * ${SEGMENT} and due.segment * ${SEGMENT} + ${SEGMENT} - 1
) content on true
`,
  );
}

/**
 * Writes segments, arrays of chats ($1), numbers ($2) and filters ($3, src/text/parts.ts), and notes that there are all
 * up to the message $5. Returns no row where another node is at it, or has made them since $4 was the last message.
 */
export const writeSegments = `
with mine as materialized (
  select ${withoutWaiting} from message_search_progress where segmented_id = $4::bigint for update skip locked
), written as (
  insert into message_search_segments (chat_id, segment, parts)
  select chat, number, ('x' || parts)::bit(4096)
  from mine cross join unnest($1::bigint[], $2::bigint[], $3::text[]) segment (chat, number, parts)
  on conflict (chat_id, segment) do update set parts = excluded.parts
)
update message_search_progress set segmented_id = $5::bigint from mine
returning ${notedBy}
`;
