import { foldForSearch, wordsOf } from '../text/fold.ts';
import { filterOfPart } from '../text/parts.ts';
import { HIT_END, HIT_START } from './highlight.ts';
import { SEGMENT } from './segments.sql.ts';

/** Of more hits, relevance is only looked at for the newest: what a person wants is among them. */
const MAX_RANKED = 5_000;

/** The chats that a user $1 searches, or the chat $2 alone. */
const chatsOf = (chat: string) => `
  select chat.id as chat_id, chat.last_seq
  from chat_members member join chats chat on chat.id = member.chat_id
  where member.user_id = $1 and chat.closed_at is null and (${chat}::bigint is null or member.chat_id = ${chat})
`;

/**
 * Finds messages in the chats of one user by words and by parts of words, as `found` says; messages that only have a
 * part of the text come behind those with the words when it goes by relevance.
 *
 * $1 who asks, $2 the words of {@link SearchText}, $3 one chat or null, $4 sender, $5 from, $6 to (times),
 * $7 only mentions of who asks, $8 custom, $9 id and $10 rank of the last hit seen, $11 limit, $12 the text and $13 the
 * filter of its parts.
 */
const search = (found: string, ranked: string) => `
with mine as materialized (${chatsOf('$3')}), asked as materialized (
  select websearch_to_tsquery('folded_english', $2) as words, $12::text as text, ('x' || $13::text)::bit(4096) as parts
), found as materialized (${found}), hits as materialized (${ranked}
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

const inMine = 'chat_id = any (array(select chat_id from mine))';
/** The same by the index message_search_chats, see migration 0020. */
const entryInMine = '-chat_id = any (array(select -chat_id from mine))';

/** Found by their chat alone, about 0.4 µs each. */
const byReading = `
  select message_id, chat_id, seq from message_search
  where ${entryInMine} and (position((select text from asked) in folded) > 0 or document @@ (select words from asked))
`;

/** By the index message_search_words. */
const byWords = `
  select message_id, chat_id, seq from message_search where ${entryInMine} and document @@ (select words from asked)
`;

/** Segments that may have parts, and what comes behind the last segment of each chat, from one seq to another. */
const rangesWith = (parts: string) => `
  select chat_id, segment * ${SEGMENT} as first, segment * ${SEGMENT} + ${SEGMENT} - 1 as last
  from message_search_segments where ${inMine} and parts & ${parts} = ${parts}
  union all
  select chat_id, coalesce((
    select (segment + 1) * ${SEGMENT} from message_search_segments where chat_id = mine.chat_id
    order by segment desc limit 1
  ), 0), last_seq
  from mine
`;

/** By words, and by reading the messages that may have the parts: all look-ups by key, whatever the statistics say. */
const bySegments = `${byWords}
  union
  select entry.message_id, entry.chat_id, entry.seq
  from (${rangesWith('(select parts from asked)')}
    union all
    select chat_id, seq, seq from message_search_changed where ${inMine}
  ) range
  cross join lateral (
    select id from messages where chat_id = range.chat_id and seq between range.first and range.last offset 0
  ) message
  cross join lateral (select * from message_search where message_id = message.id limit 1) entry
  where position((select text from asked) in entry.folded) > 0
`;

/** Up to so many messages in one's chats, reading each costs less than the entries of common words in the index. */
const MAX_READ = 150_000;
/** Number of messages that are read by their chat in the time that one takes that is found by its segment. */
const READ_PER_LOOKUP = 8;

/** Number of messages there are in the chats of $1, or in the chat $2, and of those that may have the parts $3. */
export const reach = `
with mine as materialized (${chatsOf('$2')}), total as materialized (
  select coalesce(sum(last_seq), 0) as messages from mine
)
select messages, case when messages > ${MAX_READ} and $3::text is not null then (
  select coalesce(sum(last - first + 1), 0) from (${rangesWith(`('x' || $3)::bit(4096)`)}) range
) end as candidates
from total
`;

export interface Reach {
  readonly messages: number;
  /** Null where it was not asked for: there are few messages, or no parts. */
  readonly candidates: number | null;
}

/** The statement for an order and a reach. What has no three letters in a row is only found as a word in a large one. */
export function searchHits(order: 'recency' | 'relevance', { messages, candidates }: Reach): string {
  return search(foundBy(messages, candidates), order === 'recency' ? newestFirst : mostRelevantFirst);
}

function foundBy(messages: number, candidates: number | null): string {
  if (messages <= MAX_READ) return byReading;
  if (candidates === null) return byWords;
  return candidates * READ_PER_LOOKUP < messages ? bySegments : byReading;
}

/** What somebody looks for, as the statements take it. */
export interface SearchText {
  /** In the language of `websearch_to_tsquery`. */
  readonly words: string;
  /** To be found within words, too; null where nothing is left of it once it is folded. */
  readonly text: string | null;
  /** The filter of its parts; null where it has none. */
  readonly parts: string | null;
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
    parts: filterOfPart(folded) ?? null,
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
