import { foldForSearch, wordsOf } from '../text/fold.ts';
import { containing } from '../text/patterns.ts';
import { HIT_END, HIT_START } from './highlight.ts';

/** Of more hits, relevance is only looked at for the newest: what a person wants is among them. */
const MAX_RANKED = 5_000;

/**
 * Finds messages in the chats of one user by words and by parts of words. `condition` says what matches;
 * messages that only have a part of the text come behind those with the words when it goes by relevance.
 *
 * $1 who asks, $2 the words of {@link SearchText}, $3 one chat or null, $4 sender, $5 from, $6 to (times),
 * $7 only mentions of who asks, $8 custom, $9 id and $10 rank of the last hit seen, $11 limit, $12 the text and $13 the
 * pattern.
 */
const search = (condition: string, ranked: string) => `
with mine as materialized (
  select member.chat_id
  from chat_members member join chats chat on chat.id = member.chat_id
  where member.user_id = $1 and chat.closed_at is null and ($3::bigint is null or member.chat_id = $3)
), asked as materialized (
  select websearch_to_tsquery('folded_english', $2) as words, $13::text as pattern, $12::text as text
), found as materialized (
  select message_id, chat_id, seq from message_search
  where chat_id = any (array(select chat_id from mine)) and ${condition}
), hits as materialized (${ranked}
)
select message_id as "messageId", rank
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
    and ($4::bigint is null or message.sender_id = $4)
    and ($5::timestamptz is null or message.created_at >= $5)
    and ($6::timestamptz is null or message.created_at < $6)
    and (not $7 or $1 = any (message.mentions))
    and ($8::jsonb is null or message.custom @> $8)`;

const newestFirst = `
  select hit.message_id, 0::float8 as rank
  from (select * from found where $9::bigint is null or message_id < $9 order by message_id desc) hit
  ${passing} and $10::float8 is not distinct from $10
  order by hit.message_id desc
  limit $11`;

const mostRelevantFirst = `
  select hit.message_id, hit.rank
  from (
    select newest.*, ts_rank(entry.document, (select words from asked))::float8 as rank
    from (select * from found order by message_id desc limit ${MAX_RANKED}) newest
    join message_search entry on entry.message_id = newest.message_id
  ) hit
  ${passing} and ($9::bigint is null or (hit.rank, hit.message_id) < ($10::float8, $9::bigint))
  order by hit.rank desc, hit.message_id desc
  limit $11`;

/** Up to so many messages in one's chats, reading each costs less than the entries of common words in the index. */
const MAX_READ = 150_000;

/** Number of messages there are in the chats of $1, or in the chat $2, and whether an index finds the text $3 within words. */
export const reach = `
select coalesce(sum(chat.last_seq), 0) as messages, coalesce(
  $3 ~ '[[:alnum:]]{3}' and cardinality(show_trgm($3)) > 0, false
) as "hasTrigram"
from chat_members member join chats chat on chat.id = member.chat_id
where member.user_id = $1 and chat.closed_at is null and ($2::bigint is null or member.chat_id = $2)
`;

export interface Reach {
  readonly messages: number;
  /** Three letters in a row, without which pg_trgm would read the whole index. */
  readonly hasTrigram: boolean;
}

/** Found by their chat alone, about 0.4 µs each. */
const byReading =
  '(position((select text from asked) in folded) > 0 or document @@ (select words from asked))';
/** By the indexes message_search_words and message_search_parts. */
const byIndex = '(document @@ (select words from asked) or folded like (select pattern from asked))';
/** What no index finds within words is only found as a word. */
const byWords = 'document @@ (select words from asked)';

/** The statement for an order and a reach. */
export function searchHits(order: 'recency' | 'relevance', { messages, hasTrigram }: Reach): string {
  const condition = messages <= MAX_READ ? byReading : hasTrigram ? byIndex : byWords;
  return search(condition, order === 'recency' ? newestFirst : mostRelevantFirst);
}

/** What somebody looks for, as the statements take it. */
export interface SearchText {
  /** In the language of `websearch_to_tsquery`. */
  readonly words: string;
  /** To be found within words, too; null where nothing is left of it once it is folded. */
  readonly text: string | null;
  readonly pattern: string | null;
}

/**
 * Folds what somebody looks for, as the messages in the index are. A run of dashes excludes nothing: to the parser of
 * PostgreSQL each is an operator, and it has room for 32.
 */
export function searchText(query: string): SearchText {
  const folded = foldForSearch(query);
  return {
    words: wordsOf(folded).replaceAll(/-(?:[\s!&|()]*-)+/g, ' '),
    text: folded || null,
    pattern: containing(folded) ?? null,
  };
}

/** Marks the words $1 in each of the texts $2, which have nothing but ASCII beside letters, and are as long as before. */
export const headlines = `
select text.value as text, ts_headline(
  'folded_english', text.value, websearch_to_tsquery('folded_english', $1),
  'StartSel=${HIT_START}, StopSel=${HIT_END}, HighlightAll=true'
) as headline
from jsonb_array_elements_text($2::jsonb) with ordinality text
order by text.ordinality
`;
