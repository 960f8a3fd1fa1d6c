import { type PreparedStatement, prepared } from '../database/statements.ts';

/*
 * The statements of the search index. Entries are written asynchronously to the send path; `message_search_progress`
 * contains the progress:
 *
 * - every message up to `settled_id` has its entry, if it needs one. Ids are assigned before the commit, so a lower id
 *   may become visible after a higher one: `settled_id` only advances to an id recorded at a time from which no
 *   transaction is still open;
 * - `noted_id` was the newest id when only transactions before `noted_xmax` could still write older ids, and
 *   `noted_settled_id` was settled and committed then. `noted_xmax` is the transaction that recorded them: a
 *   transaction with an id assigned before had already written, and so has a lower number;
 * - up to `checked_id` no entry exists of a message that was deleted while the entry was being written, so that the
 *   deletion did not find it;
 * - up to `refolded_id` no entry of another version of the fold exists;
 * - up to `filtered_id` there are the filters that `searchMessages` reads first (searchFilters.sql.ts).
 *
 * Each of them moves in the transaction that makes it true.
 */

/** Messages checked for an entry per statement. */
const LOOKED_AT_ONCE = 10_000;
/** Messages checked for deletion, and entries checked for the version of their fold, per statement. */
const CHECKED_AT_ONCE = 10_000;

/** The transaction that recorded the progress of the index. */
export const notedBy = 'message_search_progress.xmin::text as "notedBy"';

/**
 * Makes commits of the indexer asynchronous, so that they do not delay those of messages. A crash may lose the last of
 * them, but always entries together with their progress, so they are made again. No later commit that depends on a lost
 * one survives, because it comes after it in the WAL.
 */
export const withoutWaiting = `set_config('synchronous_commit', 'off', true)`;

/**
 * Returns SQL that records that all visible messages up to `last`, or all messages (null), are indexed, if by `mine`
 * all transactions have ended that were open when `noted_id` was recorded. `mine.newest` was the newest id before this
 * transaction got its number. Deletions that found no entry because it was not committed have ended by then as well;
 * their entries are removed.
 *
 * Progress from another database, of which this one is a copy, is recorded again.
 */
const recording = (last: string, fold: string) => `
bounds as materialized (
  select settled, case when is_over then greatest(checked_id, least(noted_settled_id, checked_id + ${CHECKED_AT_ONCE})) else checked_id end as checked,
    least(settled, refolded_id + ${CHECKED_AT_ONCE}) as refolded
  from (
    select *, case when is_over then greatest(settled_id, least(noted_id, ${last})) else settled_id end as settled from mine
  ) mine
), removed as (
  delete from message_search where message_id = any (array(
    select id from messages
    where id > (select checked_id from mine) and id <= (select checked from bounds) and deleted_at is not null
  ))
), old as materialized (
  select exists (
    select from message_search
    where message_id > (select refolded_id from mine) and message_id <= (select refolded from bounds)
      and fold is distinct from ${fold}::smallint
  ) as is_there
), note as materialized (
  select newest as id, pg_current_xact_id() as xid from mine
), due as materialized (
  select settled >= noted_id or noted_xmax > xid as is_due from mine, bounds, note
), noted as (
  update message_search_progress
  set settled_id = settled, checked_id = checked,
    refolded_id = case when old.is_there then mine.refolded_id else refolded end,
    noted_id = case when is_due then note.id else mine.noted_id end,
    noted_xmax = case when is_due then xid else mine.noted_xmax end,
    noted_settled_id = case when is_due then mine.settled_id else mine.noted_settled_id end
  from mine, bounds, old, note, due
`;

/**
 * Indexes the next `slice` messages without an entry and returns the state of the index, in one statement, which hardly
 * delays senders. It only returns the state if there is nothing to do, another node is working, or has recorded
 * progress since $1 (null for any).
 *
 * PostgreSQL folds ASCII contents, with the same result as `foldForSearch` and in a third of the time of transferring
 * them. The others (`id` to `content`, a row for each) are returned for {@link writeEntries} and {@link recordIndexed},
 * and nothing is recorded before. $2 is the version of the fold.
 *
 * While older transactions are open, messages up to $3 are skipped, of which all visible ones have their entries: there
 * may be many whose progress cannot be recorded yet.
 *
 * The sequence is read before the progress is locked, and so before this transaction gets its number: a transaction
 * with an id assigned before had already written, and so has a lower number. Before the first message, the sequence
 * already contains its id.
 */
export function indexNext(slice: number): PreparedStatement {
  return prepared(
    `index ${slice} messages`,
    `
with state as materialized (
  select message_search_progress.xmin::text as noted_by, settled_id, refolded_id, filtered_id, newest
  from (select case when is_called then last_value else last_value - 1 end as newest from messages_id_seq) sequence
  cross join message_search_progress
), mine as materialized (
  select progress.*, newest,
    case when is_over then progress.settled_id else greatest(progress.settled_id, $3::bigint) end as taken_id,
    ${withoutWaiting}
  from state cross join lateral (
    select *, pg_snapshot_xmin(pg_current_snapshot()) >= noted_xmax as is_over from message_search_progress
    where xmin::text = state.noted_by and ($1::text is null or $1 = state.noted_by)
      and (noted_id < state.newest or settled_id < noted_id or checked_id < settled_id or refolded_id < settled_id)
    for update skip locked
  ) progress
), next as materialized (
  select id, chat_id, seq, content, octet_length(content) = char_length(content) as is_ascii
  from (
    select * from messages where id > (select taken_id from mine) order by id limit ${LOOKED_AT_ONCE}
  ) message
  where kind = 'text' and deleted_at is null
    and (select true from message_search where message_id = message.id) is null
  order by id
  limit ${slice}
), reached as materialized (
  select case when count(*) = ${slice} then max(id) else (
    select id from messages where id > (select taken_id from mine) order by id offset ${LOOKED_AT_ONCE - 1} limit 1
  ) end as last
  from next
), written as (
  insert into message_search (message_id, chat_id, seq, document, folded, fold)
  select id, chat_id, seq, to_tsvector('folded_english', folded), folded, $2::smallint
  from (select *, lower(content collate "C") as folded from next where is_ascii offset 0) entry
), ${recording('(select last from reached)', '$2')}
  where not exists (select from next where not is_ascii)
  returning ${notedBy}, message_search_progress.settled_id, message_search_progress.refolded_id, old.is_there as "hasOld"
)
select coalesce(noted."notedBy", state.noted_by) as "notedBy", newest,
  newest - coalesce(noted.settled_id, state.settled_id) as lag, (select count(*) from next) as count,
  (select last from reached) as last, (select is_over from mine) as "isOver",
  coalesce((select last from reached), (select id from messages order by id desc limit 1), 0) as taken,
  coalesce("hasOld", false) as "hasOld",
  coalesce(noted.refolded_id, state.refolded_id) - state.filtered_id as "filterLag",
  (select true from message_search_changed limit 1) is true as "hasChanged",
  remaining.*
from state left join noted on true
left join (select id, chat_id as "chatId", seq, content from next where not is_ascii) remaining on true
`,
  );
}

/**
 * Records the progress that {@link indexNext} could not record because of the remaining messages: $1 its `notedBy`, $2
 * `last`, $3 `isOver`, $4 `newest`, $5 the version of the fold.
 */
export const recordIndexed = `
with mine as materialized (
  select *, $4::bigint as newest, $3::boolean as is_over, ${withoutWaiting}
  from message_search_progress where xmin::text = $1
  for update skip locked
), ${recording('$2::bigint', '$5')}
  returning ${notedBy}, mine.newest - message_search_progress.settled_id as lag, old.is_there as "hasOld"
)
select * from noted
`;

/** Locks the index for this transaction; returns no row if another node is working. */
export const takeIndex = `
select ${withoutWaiting}, set_config('parley.renews_entries', 'on', true) from message_search_progress for update skip locked
`;

/** Reads the next $1 entries made by another version of the fold than $2. */
export const oldEntries = `
select message_id as id from message_search, message_search_progress
where message_id > refolded_id and message_id <= settled_id and fold is distinct from $2
order by message_id
limit $1
`;

/** Reads and locks those of the messages $1 that are not deleted. */
export const lockMessages = `
select id, chat_id as "chatId", seq, content from messages
where id = any (array(select jsonb_array_elements_text($1::jsonb)::bigint)) and deleted_at is null
order by id
for share
`;

/** Records the id up to which old entries were rewritten; null if all were. */
export const recordRenewed = `
update message_search_progress set refolded_id = coalesce($1::bigint, settled_id)
returning ${notedBy}
`;

/** The entries of the arrays $1 to $5: ids, chats, seqs, folded contents, and their words if they differ, or null. */
const entries = `
select id, chat, seq, to_tsvector('folded_english', coalesce(words, folded)) as document, folded
from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[]) entry (id, chat, seq, folded, words)
`;

/**
 * Writes new entries, made by version $6 of the fold, unless another node has recorded progress since $7, because it
 * may already have checked whether their messages were deleted. It waits for a node that holds the lock: otherwise, if
 * nothing was written because of that node and it recorded nothing, {@link recordIndexed} would record missing entries.
 * It does without ON CONFLICT, which writes a second WAL record per entry: if an edit wrote an entry first, the primary
 * key is violated.
 */
export const writeEntries = `
with mine as materialized (
  select ${withoutWaiting} from message_search_progress where xmin::text = $7 for update
)
insert into message_search (message_id, chat_id, seq, document, folded, fold)
select id, chat, seq, document, folded, $6::smallint from mine cross join (${entries}) entry
`;

/** Rewrites existing entries. */
export const rewriteEntries = `
update message_search set document = entry.document, folded = entry.folded, fold = $6::smallint
from (${entries}) entry
where message_id = entry.id
`;

/** Writes the entry of the message $1, new or existing. */
export const reindexMessage = `
insert into message_search (message_id, chat_id, seq, document, folded, fold)
select id, chat_id, seq, to_tsvector('folded_english', $3), $2, $4::smallint from messages where id = $1
on conflict (message_id) do update set document = excluded.document, folded = excluded.folded, fold = excluded.fold
`;

/** Reads the oldest transaction that may still write. While it is open, no later messages can be settled. */
export const oldestTransaction = `
select * from (
  select pid::text as process, application_name as application, state, backend_xid as xid,
    round(extract(epoch from clock_timestamp() - xact_start)) as seconds
  from pg_stat_activity where backend_xid is not null and pid <> pg_backend_pid()
  union all
  select null, gid, 'prepared', transaction, round(extract(epoch from clock_timestamp() - prepared)) from pg_prepared_xacts
) transaction
order by age(xid) desc
limit 1
`;
