import { HIT_END, HIT_START } from './highlight.ts';

/** Of more hits, relevance is only looked at for the newest: what a person wants is among them. */
const MAX_RANKED = 5_000;

/**
 * Finds messages in the chats of one user by words and by parts of words. `condition` says what matches;
 * messages that only have a part of the text come behind those with the words when it goes by relevance.
 *
 * $1 who asks, $2 what for, $3 the same as a pattern, $4 one chat or null, $5 sender, $6 from, $7 to (times),
 * $8 only mentions of who asks, $9 custom, $10 id and $11 rank of the last hit seen, $12 limit.
 */
const search = (condition: string, ranked: string) => `
with mine as materialized (
  select member.chat_id
  from chat_members member join chats chat on chat.id = member.chat_id
  where member.user_id = $1 and chat.closed_at is null and ($4::bigint is null or member.chat_id = $4)
), asked as materialized (
  select websearch_to_tsquery('parley', $2) as words, folded($3) as pattern, folded($2) as text
), found as materialized (
  select message_id, chat_id, seq from message_search
  where chat_id = any (array(select chat_id from mine)) and ${condition}
), hits as materialized (${ranked}
)
select message_id as "messageId", rank,
  ts_headline(
    'parley', translate(content, '${HIT_START}${HIT_END}', ''), (select words from asked),
    'StartSel=${HIT_START}, StopSel=${HIT_END}, MaxFragments=2, MaxWords=20, MinWords=8, FragmentDelimiter=" … "'
  ) as headline
from hits
order by rank desc, message_id desc
`;

/** What is looked up in `messages` by key and may refuse a hit; the newest come first, so that few are. */
const passing = `
  cross join lateral (
    select * from messages where chat_id = hit.chat_id and seq = hit.seq limit 1
  ) message
  where message.deleted_at is null and hit.seq >= (
    select first_seq from chat_members where chat_id = hit.chat_id and user_id = $1
  )
    and ($5::bigint is null or message.sender_id = $5)
    and ($6::timestamptz is null or message.created_at >= $6)
    and ($7::timestamptz is null or message.created_at < $7)
    and (not $8 or $1 = any (message.mentions))
    and ($9::jsonb is null or message.custom @> $9)`;

const newestFirst = `
  select hit.message_id, 0::float8 as rank, message.content
  from (select * from found where $10::bigint is null or message_id < $10 order by message_id desc) hit
  ${passing} and $11::float8 is not distinct from $11
  order by hit.message_id desc
  limit $12`;

const mostRelevantFirst = `
  select hit.message_id, hit.rank, message.content
  from (
    select newest.*, ts_rank(entry.document, (select words from asked))::float8 as rank
    from (select * from found order by message_id desc limit ${MAX_RANKED}) newest
    join message_search entry on entry.message_id = newest.message_id
  ) hit
  ${passing} and ($10::bigint is null or (hit.rank, hit.message_id) < ($11::float8, $10::bigint))
  order by hit.rank desc, hit.message_id desc
  limit $12`;

/** Up to so many messages in one's chats, reading each costs less than the entries of common words in the index. */
const MAX_READ = 150_000;

/** How many messages there are in the chats of $1, or in the chat $2. */
export const reach = `
select coalesce(sum(chat.last_seq), 0) as messages
from chat_members member join chats chat on chat.id = member.chat_id
where member.user_id = $1 and chat.closed_at is null and ($2::bigint is null or member.chat_id = $2)
`;

/** Found by their chat alone, about 0.4 µs each. */
const byReading =
  '(position((select text from asked) in folded) > 0 or document @@ (select words from asked))';
/** By the indexes message_search_words and message_search_parts. */
const byIndex = '(document @@ (select words from asked) or folded like (select pattern from asked))';
/** Less than three letters are no trigram: what has them as a part would be everything. */
const byWords = 'document @@ (select words from asked)';

/** The statement for an order, a text of so many letters, and so many messages to look into. */
export function searchHits(order: 'recency' | 'relevance', letters: number, messages: number): string {
  const condition = messages <= MAX_READ ? byReading : letters < 3 ? byWords : byIndex;
  return search(condition, order === 'recency' ? newestFirst : mostRelevantFirst);
}
