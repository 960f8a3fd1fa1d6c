/*
 * The statements of the search index. Entries are written behind the send path; `message_search_progress` says how far:
 *
 * - every message up to `settled_id` has its entry, as far as it is to have one. Ids are given before the commit, so a
 *   lower one may become visible after a higher one: it only moves on to an id noted at a time of which no transaction
 *   is open any more;
 * - `noted_id` was the newest id when the transactions before `noted_xmax` were the only ones that could still be
 *   writing older ones, and `noted_settled_id` was settled and committed then. It is the transaction that noted them:
 *   whoever had an id by then had written before, and so had a lower number;
 * - up to `checked_id` no entry is left of a message that was deleted while the entry was being written: such a deletion
 *   did not find it;
 * - up to `refolded_id` no entry is left of another version of the fold;
 * - up to `segmented_id` there are the segments of chats that `searchMessages` finds parts of words by.
 *
 * Each of them moves in the transaction that makes it true.
 */

/** The newest id of a message; before the first one, the sequence names it already. */
const newestId = 'case when is_called then last_value else last_value - 1 end';

/** Messages of a segment. */
export const SEGMENT = 64;
/** Messages after which one looks for new segments: until then, their messages are read. */
const SEGMENTED_AT_ONCE = 1_000;
/** Messages that are checked by one transaction for whether they were deleted. */
const CHECKED_AT_ONCE = 10_000;

/** The transaction that has noted how far the index is. */
const notedBy = 'message_search_progress.xmin::text as "notedBy"';

/** Progress of the index. */
export const progress = `
select ${notedBy}, newest, newest - settled_id as lag,
  noted_id < newest or settled_id < noted_id or checked_id < settled_id as "isBehind",
  refolded_id < settled_id as "hasOld", segmented_id + ${SEGMENTED_AT_ONCE} <= refolded_id as "hasNewSegments"
from message_search_progress, (select ${newestId} as newest from messages_id_seq) sequence
`;

/**
 * Takes the index for this transaction, or returns no row where another node is at it. `isOver` is true when all
 * transactions have ended that were open when `noted_id` was noted. For the rest of the transaction
 *
 * - the next messages come from the index on their ids, whatever the statistics say;
 * - a changed entry is none that segments do not know of (`parley.renews_entries`, migration 0020);
 * - its commit does not wait for the disk, nor do those of messages wait for it (`synchronous_commit`). A crash may lose
 *   the last commits before it: entries together with the progress that speaks of them, so they are made once more. No
 *   later commit that builds on a lost one is kept: it stands behind it in the same log.
 */
export const takeIndex = `
select pg_snapshot_xmin(pg_current_snapshot()) >= noted_xmax as "isOver",
  set_config('synchronous_commit', 'off', true), set_config('parley.renews_entries', 'on', true),
  set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
  set_config('enable_sort', 'off', true), set_config('enable_hashjoin', 'off', true),
  set_config('enable_mergejoin', 'off', true)
from message_search_progress
for update skip locked
`;

/** The next $1 messages without an entry. */
export const nextMessages = `
select message.id, message.chat_id as "chatId", message.seq, message.content
from messages message
where message.id > (select settled_id from message_search_progress)
  and message.kind = 'text' and message.deleted_at is null
  and not exists (select from message_search where message_id = message.id)
order by message.id
limit $1
`;

/**
 * Notes that all messages up to $1 are indexed that could be seen after `isOver` ($2), or all of them (null), and $3,
 * which was the newest id before this transaction began. Deletions that found no entry, because it was not committed,
 * have ended by then, too: what they left is removed, of so many messages at a time.
 *
 * What was noted by another database, from which this one was restored, is noted anew.
 */
export const noteIndexed = `
with mine as materialized (
  select *, case when $2 then greatest(settled_id, least(noted_id, $1::bigint)) else settled_id end as settled,
    case when $2 then greatest(checked_id, least(noted_settled_id, checked_id + ${CHECKED_AT_ONCE})) else checked_id end as checked
  from message_search_progress
), removed as (
  delete from message_search where message_id = any (array(
    select message.id from messages message
    where message.id > (select checked_id from mine) and message.id <= (select checked from mine)
      and message.deleted_at is not null
  ))
), note as (
  select $3::bigint as id, pg_current_xact_id() as xid
), due as (
  select settled >= noted_id or noted_xmax > xid as is_due from mine, note
)
update message_search_progress
set settled_id = settled, checked_id = checked,
  noted_id = case when is_due then note.id else mine.noted_id end,
  noted_xmax = case when is_due then xid else mine.noted_xmax end,
  noted_settled_id = case when is_due then mine.settled_id else mine.noted_settled_id end
from mine, note, due
returning ${notedBy}
`;

/** The next $1 entries that another version of the fold than $2 has made. */
export const oldEntries = `
select message_id as id from message_search, message_search_progress
where message_id > refolded_id and message_id <= settled_id and fold is distinct from $2
order by message_id
limit $1
`;

/** Those of the messages $1 that are not deleted, as they stay until the end of the transaction. */
export const lockMessages = `
select id, chat_id as "chatId", seq, content from messages
where id = any (array(select jsonb_array_elements_text($1::jsonb)::bigint)) and deleted_at is null
order by id
for share
`;

/** Notes up to where old entries were made anew; null: as far as there were any. */
export const noteRenewed = `
update message_search_progress set refolded_id = coalesce($1::bigint, settled_id)
returning ${notedBy}
`;

/** Entries as $1 to $5 (arrays: ids, chats, seqs, folded contents, and their words where they differ, or null) say. */
const entries = `
select id, chat, seq, to_tsvector('folded_english', coalesce(words, folded)) as document, folded
from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[]) entry (id, chat, seq, folded, words)
`;

/**
 * Writes new entries, made by version $6 of the fold. Without ON CONFLICT, which costs a second record in the log for
 * each: where an edit wrote one meanwhile, the primary key is violated.
 */
export const writeEntries = `
insert into message_search (message_id, chat_id, seq, document, folded, fold)
select id, chat, seq, document, folded, $6::smallint from (${entries}) entry
`;

/** Writes entries anew that are there. */
export const rewriteEntries = `
update message_search set document = entry.document, folded = entry.folded, fold = $6::smallint
from (${entries}) entry
where message_id = entry.id
`;

/** Writes the entry of the message $1, whether it is there or not. */
export const reindexMessage = `
insert into message_search (message_id, chat_id, seq, document, folded, fold)
select id, chat_id, seq, to_tsvector('folded_english', $3), $2, $4::smallint from messages where id = $1
on conflict (message_id) do update set document = excluded.document, folded = excluded.folded, fold = excluded.fold
`;

/**
 * The next $1 segments whose last message has come: their entries in one text, and whether a message of theirs may still
 * be without its entry. Such a segment has all parts; every chat has its segments without a gap.
 */
export const nextSegments = `
select due.id, due.chat_id as "chatId", due.segment, content.folded, content."isEarly"
from message_search_progress
cross join lateral (
  select id, chat_id, seq / ${SEGMENT} as segment from messages
  where id > segmented_id and id <= refolded_id and seq % ${SEGMENT} = ${SEGMENT} - 1
  order by id
  limit $1
) due
cross join lateral (
  select string_agg(entry.folded, chr(10)) as folded, max(message.id) > refolded_id as "isEarly"
  from messages message
  left join lateral (select folded from message_search where message_id = message.id limit 1) entry on true
  where message.chat_id = due.chat_id
    and message.seq between due.segment * ${SEGMENT} and due.segment * ${SEGMENT} + ${SEGMENT} - 1
) content
`;

/** Writes segments: arrays of chats, numbers and filters (src/text/parts.ts). */
export const writeSegments = `
insert into message_search_segments (chat_id, segment, parts)
select chat, number, ('x' || parts)::bit(4096)
from unnest($1::bigint[], $2::bigint[], $3::text[]) segment (chat, number, parts)
on conflict (chat_id, segment) do update set parts = excluded.parts
`;

/** Notes up to which message there are segments; null: as far as entries are as they stay. */
export const noteSegmented = `
update message_search_progress set segmented_id = coalesce($1::bigint, refolded_id)
returning ${notedBy}
`;
