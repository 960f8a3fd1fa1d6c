import { type PreparedStatement, prepared } from '../database/statements.ts';
import { FILTER_BITS } from '../text/bloomFilter.ts';
import { foldForSearch, wordsOf } from '../text/fold.ts';
import { CHECKED_BITS, MAX_FILTERS } from './queryFilters.ts';
import { HIT_END, HIT_START } from './searchHighlight.ts';

/*
 * The statements of a search. They find rows by keys only, in an order that does not depend on the number of hits; all
 * are prepared. A search goes backwards from the newest message in the order of ids (src/messages/search.ts):
 *
 * - messages without a filter, which are few, are read: of all chats by the primary key, of one chat by
 *   message_search_chat;
 * - changed messages that are not in their filter yet, which are few, are read;
 * - for all others, filters are read by the primary key of message_search_filters, and the messages of those that may
 *   match, by message_search_chat.
 */

/** Maximum messages without a filter that are read. */
export const MAX_UNFILTERED = 20_000;
/** Maximum filters read, per chat and in total: one more than the number of filters whose messages are read. */
export const CANDIDATE_LIMITS = { perChat: 513, total: 4_097 };
/** Maximum changes scanned. */
const MAX_CHANGED = 5_000;
/** Maximum hits, the newest ones, whose relevance is computed. */
const MAX_RANKED = 5_000;

/** The chats searched: all chats of a user, or one. */
export type Scope = 'all' | 'one';
/** The order of the hits. */
export type Order = 'recency' | 'relevance';

/** Returns the words $1 as a `tsquery`, the message up to which there are filters, and the newest message. */
export const readWords = prepared(
  'words of a search',
  `
select websearch_to_tsquery('folded_english', $1)::text as words, filtered_id as "filteredTo", coalesce((
  select message_id from message_search order by message_id desc limit 1
), 0) as newest
from message_search_progress
`,
);

/**
 * Finds the id of the first message written at $1 or later, by binary search in the index messages_id. Ids and times
 * have nearly the same order.
 */
export const idAt = prepared(
  'id at a time',
  `
with recursive bounds as (
  select 0::bigint as before, coalesce((select id from messages order by id desc limit 1), 0) + 1 as id
  union all
  select case when is_before then middle else before end, case when is_before then id else middle end
  from (
    select *, coalesce((
      select created_at < $1::timestamptz from messages where id >= middle order by id limit 1
    ), false) as is_before
    from (select *, (before + id) / 2 as middle from bounds where before + 1 < id offset 0) bounds
    offset 0
  ) step
)
select id from bounds where before + 1 >= id
`,
);

const isIn = (scope: Scope, chat: string, column = 'chat_id') =>
  scope === 'one' ? `and ${column} = ${chat}` : '';

/**
 * SQL expressions that are compared with the filters of messages, for each alternative: some of its bits, which takes a
 * tenth of the time, and its whole filter in hexadecimal digits if it has more bits ({@link comparisonsOf}). $4
 * contains which alternatives exist, $5 the bits of all, $6 the filters.
 */
const alternatives = Array.from({ length: MAX_FILTERS }, (_, index) => ({
  isThere: `($4::boolean[])[${index + 1}]`,
  filter: `('x' || ($6::text[])[${index + 1}])::bit(${FILTER_BITS})`,
  bits: Array.from({ length: CHECKED_BITS }, (_, bit) => `($5::int[])[${index * CHECKED_BITS + bit + 1}]`),
}));
const columns = alternatives.flatMap(({ isThere, filter, bits }, index) => [
  `${isThere} as is_there${index}`,
  `${filter} as filter${index}`,
  ...bits.map((bit, number) => `${bit} as bit${index}_${number}`),
]);
const term = (column: string) => `(select ${column} from terms)`;
const mayMatch = alternatives
  .map(({ bits }, index) => {
    const bitsAreSet = bits.map((_, number) => {
      const bit = term(`bit${index}_${number}`);
      return `(${bit} is null or get_bit(parts, ${bit}) = 1)`;
    });
    const filter = term(`filter${index}`);
    return [
      term(`is_there${index}`),
      ...bitsAreSet,
      `(${filter} is null or parts & ${filter} = ${filter})`,
    ].join(' and ');
  })
  .join('\n      or ');

/**
 * Finds the newest filters of the chats of the user $1 that may contain matching messages with ids between $2 and $3,
 * ordered by their last one. The alternatives follow, and with `one` the chat.
 */
export function candidates(scope: Scope): PreparedStatement {
  return prepared(
    `candidates in ${scope}`,
    `
with terms as materialized (
  select ${columns}
)
select found.chat_id as "chatId", found.first_id as "firstId", newest.id as "lastId", found.messages
from chat_members member cross join lateral (
  select chat_id, first_id, last_id, messages from message_search_filters
  where chat_id = member.chat_id and first_id < $3
    and first_id >= case when $2::bigint > 0 then coalesce((
      select first_id from message_search_filters newest
      where newest.chat_id = member.chat_id and newest.first_id <= $2
      order by newest.first_id desc
      limit 1
    ), 0) else 0 end
    and last_id > $2 and last_seq >= member.first_seq
    and (${mayMatch})
  order by first_id desc
  limit ${CANDIDATE_LIMITS.perChat}
) found
cross join lateral (
  select case when found.last_id < $3 then found.last_id else (
    select message_id from message_search where chat_id = found.chat_id and message_id < $3
    order by chat_id desc, message_id desc
    limit 1
  ) end as id
  offset 0
) newest
where member.user_id = $1 ${isIn(scope, '$7', 'member.chat_id')}
  and newest.id >= found.first_id and newest.id > $2
order by newest.id desc
limit ${CANDIDATE_LIMITS.total}
`,
  );
}

/**
 * Finds the last of {@link MAX_UNFILTERED} messages from the newest backwards, between the ids $1 and $2; with `one` in
 * the chat $3.
 */
export function lastUnfiltered(scope: Scope): PreparedStatement {
  return prepared(
    `last unfiltered in ${scope}`,
    `
select message_id as id from message_search
where message_id > $1 and message_id < $2 ${isIn(scope, '$3')}
order by ${scope === 'one' ? 'chat_id desc, ' : ''}message_id desc
offset ${MAX_UNFILTERED - 1}
limit 1
`,
  );
}

/** Sources of {@link hits}. */
export type Source = 'unfiltered' | 'changed' | 'filtered';

/** Entries by source; with the scope `one` of the chat $14. */
const sources = (scope: Scope): Readonly<Record<Source, string>> => ({
  unfiltered: `
    select * from (
      select * from message_search
      where message_id > $3 and message_id < $4 ${isIn(scope, '$14')}
      order by ${scope === 'one' ? 'chat_id desc, ' : ''}message_id desc
      limit ${MAX_UNFILTERED}
    ) entry where ${matches}`,
  changed: `
    select entry.* from (select chat_id, seq from message_search_changed where true ${isIn(scope, '$14')} limit ${MAX_CHANGED}) change
    cross join lateral (
      select id from messages where chat_id = change.chat_id and seq = change.seq limit 1
    ) message
    cross join lateral (select * from message_search where message_id = message.id limit 1) entry
    where message_id > $3 and message_id < $4 and ${matches}`,
  // chats, and ranges of ids of their messages
  filtered: `
    select entry.* from unnest($14::bigint[], $15::bigint[], $16::bigint[]) filter (chat_id, first_id, last_id)
    cross join lateral (
      select * from message_search
      where chat_id = filter.chat_id and message_id >= filter.first_id and message_id <= filter.last_id
        and message_id > $3 and message_id < $4 and ${matches}
      offset 0
    ) entry`,
});

const matches = `(position((select text from terms) in folded) > 0 or document @@ (select words from terms))`;

/** Conditions that are checked by key for each hit, newest first, so that few are checked. */
const conditions = `
cross join lateral (
  select * from messages where chat_id = hit.chat_id and seq = hit.seq limit 1
) message
where message.deleted_at is null
  and hit.seq >= (select first_seq from chat_members where chat_id = hit.chat_id and user_id = $5)
  and (select closed_at from chats where id = hit.chat_id) is null
  and ($6::bigint is null or message.sender_id = $6)
  and ($7::timestamptz is null or message.created_at >= $7)
  and ($8::timestamptz is null or message.created_at < $8)
  and (not $9 or $5 = any (message.mentions))
  and ($10::jsonb is null or message.custom @> $10)
  and ($12::float8 is null or (hit.rank, hit.message_id) < ($12, $13::bigint))`;

/** The hits with their rank. */
const ranked: Readonly<Record<Order, string>> = {
  recency: 'select message_id, chat_id, seq, 0::float8 as rank from found order by message_id desc',
  relevance: `
  select message_id, chat_id, seq, ts_rank(document, (select words from terms))::float8 as rank
  from (select * from found order by message_id desc limit ${MAX_RANKED}) newest`,
};

/**
 * Finds hits of a source in an order: $1 words and $2 text of {@link SearchText}, $3 and $4 exclusive bounds of ids, $5
 * user, $6 sender, $7 from, $8 to (times), $9 only mentions of the user, $10 custom, $11 limit, $12 and $13 rank and id
 * after which the hits continue, or null. The parameters of the source follow.
 */
export function hits(source: Source, scope: Scope, order: Order): PreparedStatement {
  return prepared(
    `hits ${source} in ${scope} by ${order}`,
    `
with terms as materialized (
  select websearch_to_tsquery('folded_english', $1) as words, $2::text as text
), found as materialized (${sources(scope)[source]}
)
select hit.message_id as "messageId", hit.rank
from (${ranked[order]}
) hit
${conditions}
order by ${order === 'recency' ? '' : 'hit.rank desc,'} hit.message_id desc
limit $11::int
`,
  );
}

/** The query in the form of the parameters of the statements. */
export interface SearchText {
  /** In the language of `websearch_to_tsquery`. */
  readonly words: string;
  /** A text to find within words as well; null if it is empty when folded. */
  readonly text: string | null;
}

/**
 * Folds a query like the messages of the index. Runs of dashes are removed: PostgreSQL parses each dash as an operator
 * and allows 32.
 */
export function searchText(query: string): SearchText {
  const folded = foldForSearch(query);
  return { words: wordsOf(folded).replaceAll(/-(?:[\s!&|()]*-)+/g, ' '), text: folded || null };
}

/**
 * Marks the words $1 in each of the texts $2, which consist of ASCII and letters. Apart from the marks, their length
 * does not change.
 */
export const headlines = `
select text.value as text, ts_headline(
  'folded_english', text.value, websearch_to_tsquery('folded_english', $1),
  'StartSel=${HIT_START}, StopSel=${HIT_END}, HighlightAll=true'
) as headline
from jsonb_array_elements_text($2::jsonb) with ordinality text
order by text.ordinality
`;
