import { HIT_END, HIT_START } from './highlight.ts';

/** Of more hits, the newest are looked at: what a person wants is among them. */
const MAX_HITS = 10_000;

/**
 * Finds messages: by words (index message_search_words) and by parts of words (index message_search_parts), both
 * with the chat in front, so that only entries of the caller's chats are met. Newest first, or by relevance among
 * the newest hits; messages that only have a part of the text come behind those with the words.
 *
 * $1 who asks, $2 what for, $3 the same as a pattern, $4 one chat or null, $5 sender, $6 from, $7 to (times),
 * $8 only mentions of who asks, $9 custom, $10 by relevance, $11 rank and $12 id of the last hit seen, $13 limit.
 */
export const searchHits = `
with mine as materialized (
  select member.chat_id, member.first_seq
  from chat_members member join chats chat on chat.id = member.chat_id
  where member.user_id = $1 and chat.closed_at is null and ($4::bigint is null or member.chat_id = $4)
), asked as materialized (
  select websearch_to_tsquery('parley', $2) as words, folded($3) as pattern
), found as (
  select message_id, chat_id, seq from message_search
  where chat_id = any (array(select chat_id from mine)) and document @@ (select words from asked)
  union
  select message_id, chat_id, seq from message_search
  where chat_id = any (array(select chat_id from mine)) and folded like (select pattern from asked)
), newest as materialized (
  select found.message_id, found.chat_id, found.seq
  from found join mine on mine.chat_id = found.chat_id and found.seq >= mine.first_seq
  where $10 or $12::bigint is null or found.message_id < $12
  order by found.message_id desc
  limit ${MAX_HITS}
), ranked as (
  select newest.*,
    case when $10 then ts_rank(entry.document, (select words from asked))::float8 else 0 end as rank
  from newest left join message_search entry on $10 and entry.message_id = newest.message_id
), hits as materialized (
  select ranked.message_id, ranked.rank, message.content
  from (select * from ranked order by rank desc, message_id desc) ranked
  cross join lateral (
    select * from messages where chat_id = ranked.chat_id and seq = ranked.seq limit 1
  ) message
  where message.deleted_at is null
    and ($5::bigint is null or message.sender_id = $5)
    and ($6::timestamptz is null or message.created_at >= $6)
    and ($7::timestamptz is null or message.created_at < $7)
    and (not $8 or $1 = any (message.mentions))
    and ($9::jsonb is null or message.custom @> $9)
    and ($12::bigint is null or (ranked.rank, ranked.message_id) < ($11::float8, $12::bigint))
  order by ranked.rank desc, ranked.message_id desc
  limit $13
)
select message_id as "messageId", rank,
  ts_headline(
    'parley', translate(content, '${HIT_START}${HIT_END}', ''), (select words from asked),
    'StartSel=${HIT_START}, StopSel=${HIT_END}, MaxFragments=2, MaxWords=20, MinWords=8, FragmentDelimiter=" … "'
  ) as headline
from hits
order by rank desc, message_id desc
`;
