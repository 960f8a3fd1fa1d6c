import { type PreparedStatement, prepared } from '../database/statements.ts';

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
 * - up to `filtered_id` there are the filters that `searchMessages` reads first (searchFilters.sql.ts).
 *
 * Each of them moves in the transaction that makes it true.
 */

/** Messages that are looked at at once for whether they have an entry. */
const LOOKED_AT_ONCE = 10_000;
/** Messages that are checked at once for whether they were deleted, and entries for which version of the fold made them. */
const CHECKED_AT_ONCE = 10_000;

/** The transaction that has noted how far the index is. */
export const notedBy = 'message_search_progress.xmin::text as "notedBy"';

/**
 * A commit of the indexer does not wait for the disk, nor do those of messages wait for it. A crash may lose the last of
 * them: entries together with the progress that speaks of them, so they are made once more. No later commit that builds
 * on a lost one is kept: it stands behind it in the same log.
 */
export const withoutWaiting = `set_config('synchronous_commit', 'off', true)`;

/**
 * Notes that all messages up to `last` are indexed that could be seen, or all of them (null), if `mine` says that all
 * transactions have ended that were open when `noted_id` was noted. `mine.newest` was the newest id before this
 * transaction had a number. Deletions that found no entry, because it was not committed, have ended by then, too: what
 * they left is removed.
 *
 * Progress from another database, of which this one is a copy, is noted again.
 */
const noting = (last: string, fold: string) => `
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
 * Indexes the next `slice` messages without an entry, and answers with the state of the index, in one statement: those
 * who send hardly notice it. It does nothing but answer where there is nothing to do, another node is at it, or was since
 * $1 (null: never mind).
 *
 * Contents in ASCII are folded by PostgreSQL, which does it as `foldForSearch` does, and in a third of the time that it
 * takes to send them to and fro. Those that are not (`id` to `content`, a row for each) remain for {@link writeEntries}
 * and {@link noteIndexed}: nothing is noted before. $2 is the version of the fold.
 *
 * While older transactions are open, messages up to $3 are left out that have their entries as far as they could be seen:
 * what such a transaction keeps from being noted may be much.
 *
 * The sequence is read before the progress is locked, and so before the transaction has a number: whoever had an id by then
 * had written before, and so has a lower one. Before the first message, the sequence names its id already.
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
), ${noting('(select last from reached)', '$2')}
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
 * Notes what {@link indexNext} could not note because of what remained: $1 its `notedBy`, $2 `last`, $3 `isOver`,
 * $4 `newest`, $5 the version of the fold.
 */
export const noteIndexed = `
with mine as materialized (
  select *, $4::bigint as newest, $3::boolean as is_over, ${withoutWaiting}
  from message_search_progress where xmin::text = $1
  for update skip locked
), ${noting('$2::bigint', '$5')}
  returning ${notedBy}, mine.newest - message_search_progress.settled_id as lag, old.is_there as "hasOld"
)
select * from noted
`;

/** Takes the index for this transaction, or returns no row where another node is at it. */
export const takeIndex = `
select ${withoutWaiting}, set_config('parley.renews_entries', 'on', true) from message_search_progress for update skip locked
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
 * Writes new entries, made by version $6 of the fold, unless another node has noted something since $7: it may have
 * checked already whether their messages were deleted. One that is at the index is waited for: were nothing written
 * because of it, and it noted nothing, {@link noteIndexed} would note what is not there. Without ON CONFLICT, which costs
 * a second record in the log for each: where an edit wrote one first, the primary key is violated.
 */
export const writeEntries = `
with mine as materialized (
  select ${withoutWaiting} from message_search_progress where xmin::text = $7 for update
)
insert into message_search (message_id, chat_id, seq, document, folded, fold)
select id, chat, seq, document, folded, $6::smallint from mine cross join (${entries}) entry
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

/** The oldest transaction that may still write: while it is open, nothing is settled that was written since it began. */
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
