import { type PreparedStatement, prepared } from '../database/statements.ts';
import { FILTER_BITS } from '../text/bloomFilter.ts';
import { notedBy, withoutWaiting } from './searchIndex.sql.ts';

/*
 * The statements of the filters that a search reads instead of messages: see migration 0026. A filter covers messages
 * of a chat in the order of their ids. None can be inserted between them later, because all messages up to
 * `refolded_id` have their entry. All filters up to `filtered_id` exist.
 */

/** Messages per filter. */
export const FILTER_SIZE = 32;
/** Entries checked for a filter per statement, and therefore the maximum of chats. */
const SPAN = 2_048;
/** Messages of a chat per statement. */
const PER_CHAT = 128;

/** Returns SQL for the data of an entry: an array of its id, `seq`, folded content, words, sender and mentions. */
const entryOf = (entry: string) => `
json_build_array(
  ${entry}.message_id, ${entry}.seq, ${entry}.folded, tsvector_to_array(${entry}.document), sender.sender_id, sender.mentions
)`;
const senderOf = (entry: string) => `
cross join lateral (
  select sender_id, mentions from messages where id = ${entry}.message_id limit 1
) sender`;

/**
 * Reads the next entries without a filter of up to `limit` chats: a row per chat with its last filter if that has room,
 * or a single row with the progress if there are none. All entries up to `filteredTo` have a filter.
 */
export function nextFilters(limit: number): PreparedStatement {
  return prepared(
    `next filters of ${limit} chats`,
    `
with progress as materialized (
  select ${notedBy}, filtered_id, refolded_id from message_search_progress
), span as materialized (
  select message_id, chat_id from message_search
  where message_id > (select filtered_id from progress) and message_id <= (select refolded_id from progress)
  order by message_id
  limit ${SPAN}
), due as materialized (
  select chat.chat_id, newest.*, (
    select min(id) from unnest(chat.ids) id where newest.last_id is null or id > newest.last_id
  ) as first_due
  from (select chat_id, array_agg(message_id) as ids from span group by chat_id) chat
  left join lateral (
    select first_id, last_id, messages from message_search_filters where chat_id = chat.chat_id
    order by first_id desc
    limit 1
  ) newest on true
)
select progress."notedBy", coalesce(
  (select min(first_due) - 1 from due),
  (select max(message_id) from span having count(*) = ${SPAN}), refolded_id
) as "filteredTo", refolded_id as "refoldedTo", filled.*
from progress
left join lateral (
  select due.chat_id as "chatId", due.messages,
    case when due.messages < ${FILTER_SIZE} then due.first_id end as "firstId", (
      select json_agg(${entryOf('entry')} order by entry.message_id)
      from (
        select * from message_search
        where chat_id = due.chat_id and message_id > coalesce(due.last_id, 0) and message_id <= progress.refolded_id
        order by message_id
        limit ${PER_CHAT}
      ) entry
      ${senderOf('entry')}
    ) as entries
  from (select * from due where first_due is not null order by first_due limit ${limit}) due
) filled on true
`,
  );
}

/** Returns SQL for the filter of the row `number` in a parameter of concatenated filters. */
const nthFilter = (filters: string) => `
('x' || encode(substring(${filters}::bytea from (number::int - 1) * ${FILTER_BITS / 8} + 1 for ${FILTER_BITS / 8}), 'hex'))::bit(${FILTER_BITS})`;

/** Locks the progress if no other node has changed it since it was read; otherwise the work is repeated. */
const mineAt = (by: string) => `
with mine as materialized (
  select ${withoutWaiting} from message_search_progress where xmin::text = ${by} for update skip locked
)`;

/**
 * Writes new filters, or adds to the last filter of a chat: chats ($2), first ($3) and last message ($4), highest `seq`
 * ($5), number of messages ($6), and concatenated filters ($7). Records that all up to $8 exist. Returns no row if
 * another node is working, or has recorded progress since $1.
 */
export const writeFilters = `
${mineAt('$1')}, written as (
  insert into message_search_filters as filter (chat_id, first_id, last_id, last_seq, messages, parts)
  select chat, first, last, seq, messages, ${nthFilter('$7')}
  from mine cross join unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::int[])
    with ordinality made (chat, first, last, seq, messages, number)
  on conflict (chat_id, first_id) do update
  set last_id = excluded.last_id, last_seq = greatest(filter.last_seq, excluded.last_seq),
    messages = excluded.messages, parts = filter.parts | excluded.parts
)
update message_search_progress set filtered_id = $8::bigint from mine
returning ${notedBy}
`;

/** Reads up to `limit` entries that changed since their filter was made, with that filter if it exists. */
export function changedEntries(limit: number): PreparedStatement {
  return prepared(
    `${limit} changed entries`,
    `
select ${notedBy}, note.chat_id as "chatId", note.seq, note.xmin::text as "changedBy", found.first_id as "firstId", found.entry
from message_search_progress
cross join lateral (select *, xmin from message_search_changed limit ${limit}) note
left join lateral (
  select (
    select first_id from message_search_filters
    where chat_id = note.chat_id and first_id <= entry.message_id
    order by first_id desc
    limit 1
  ) as first_id, ${entryOf('entry')} as entry
  from (select id from messages where chat_id = note.chat_id and seq = note.seq limit 1) message
  cross join lateral (select * from message_search where message_id = message.id limit 1) entry
  ${senderOf('entry')}
) found on true
`,
  );
}

/**
 * Adds the concatenated filters $4 to the filters of chats ($2) that begin with messages ($3), and deletes the changes
 * of chats ($5) and seqs ($6) that are unchanged since the transactions $7. Returns no row if another node is working,
 * or has recorded progress since $1.
 */
export const mergeChanges = `
${mineAt('$1')}, merged as (
  update message_search_filters filter set parts = filter.parts | ${nthFilter('$4')}
  from mine cross join unnest($2::bigint[], $3::bigint[]) with ordinality made (chat, first, number)
  where filter.chat_id = made.chat and filter.first_id = made.first
), deleted as (
  delete from message_search_changed change
  using mine cross join unnest($5::bigint[], $6::bigint[], $7::text[]) note (chat, number, noted_by)
  where change.chat_id = note.chat and change.seq = note.number and change.xmin::text = note.noted_by
)
update message_search_progress set filtered_id = filtered_id from mine
returning ${notedBy}
`;
