import { prepared } from '../database/statements.ts';
import { otherInSql } from '../users/pairs.ts';
import { due, floor, isSeen, isTouched, seen, settled, visible } from './seen.sql.ts';
import { STAGE, type Stage } from './syncCursor.ts';

/**
 * SQL for the highest `seq` of a chat that was visible to the snapshot $2, 0 for none, if the newest was not. All below
 * a visible one were visible, too, so this is an exponential search backwards from the newest, then a binary search.
 */
const newestSeen = `
  with recursive step (width) as (
    select width from (select 1::bigint << n as width from generate_series(0, 62) n) steps
    where width >= chat.last_seq or ${isSeen('chat.id', 'chat.last_seq - width')} is true
    limit 1
  ), search (low, high) as (
    select greatest(chat.last_seq - width, 0), chat.last_seq - width / 2 - 1 from step
    union all
    select case when is_seen then probe else low end, case when is_seen then high else probe - 1 end
    from search
    cross join lateral (select (low + high + 1) / 2 as probe) middle
    cross join lateral (select ${isSeen('chat.id', 'probe')} is true as is_seen) probed
    where low < high
  )
  select low from search where low = high
`;

/** A kind of rows that change within a chat. */
interface Changing {
  /** The stages of changes in settled transactions, and of later changes. */
  readonly stage: Stage;
  readonly late: Stage;
  /** The table, and its columns of the transaction and of the id within the chat; an index has them in this order. */
  readonly table: string;
  readonly xid: string;
  readonly id: string;
  /** Conditions on chats that have such rows, and on the rows that are included, by `id`. */
  readonly where: string;
  readonly isIncluded: string;
}

/** Rows of a chat scanned per statement. */
const MAX_SCANNED = 5_000;

/**
 * Returns SQL for the changes of a chat since the snapshot $2, from a position on: first those of settled transactions
 * (all earlier ones have ended, so nothing can be inserted before the position), ordered by transaction; then the few
 * later ones, ordered by id. A row that changes concurrently moves from the first part to the second and is listed
 * there.
 */
const changesIn = ({ stage, late, table, xid, id, where, isIncluded }: Changing): string => `
    (
      select ${stage}, xid, id, is_included, n = ${MAX_SCANNED}
      from (
        select
          case when from_stage = ${stage} then from_xid else ${floor} end as after_xid,
          case when from_stage = ${stage} then from_id else -1 end as after_id
        where ${where} and from_stage <= ${stage} offset 0
      ) position
      cross join lateral (
        select xid, id, ${isIncluded} as is_included, row_number() over () as n
        from (
          select ${xid} as xid, ${id} as id from ${table}
          where chat_id = chat.id and (${xid}, ${id}) > (after_xid, after_id) and ${xid} < ${settled}
            and not ${visible(xid)}
          order by ${xid}, ${id}
          limit (select ${MAX_SCANNED})
        ) found
      ) scanned
      where is_included or n = ${MAX_SCANNED}
      limit $7
    )
    union all
    (
      select ${late}, late_xid, id, true, false
      from (
        select case when from_stage = ${late} then from_xid else ${settled} end as late_xid
        where ${where} and from_stage <= ${late} offset 0
      ) late
      cross join lateral (
        select ${id} as id from ${table}
        where chat_id = chat.id and ${xid} >= late_xid and ${xid} < ${due} and not ${visible(xid)}
        order by ${xid} offset 0
      ) found
      where ${isIncluded} and id > case when from_stage = ${late} then from_id else -1 end
      order by id
      limit $7
    )`;

/**
 * Lists the changes in a user's chats since a snapshot, chat by chat. A row counts as seen if the transaction of its
 * last change was visible to the snapshot, which is exactly the state that the client has received, regardless of the
 * transactions open then (PostgreSQL, "Transaction ID and Snapshot Information Functions"). Messages of a chat become
 * visible in the order of seq, because each transaction holds the lock of the chat until its commit: so the new ones
 * are those above the newest seen one, and because seq has no gaps, they can be listed without reading them.
 *
 * 1. `own` contains the next chats of the user ordered by id (index chat_members_by_user); the other steps read them in
 *    that order, by the keys of chats and chat_members and the index messages_changes, so that neighbours are on the
 *    same pages.
 * 2. `found` contains those with changes, or possible changes if the row of the chat was written; `known` determines
 *    them.
 * 3. The changes of these are read from the position on, by indexes on (chat_id, transaction, id).
 *
 * Messages that a member may not see are excluded regardless of the cursor, because the member may have left and
 * rejoined. A dialog whose first message was refused has no messages and is not listed; closed groups are listed by
 * `leftSince`. To be independent of statistics, single rows are read by scalar subqueries, because an `exists` may
 * become a hash of the whole chat, and changes are read in the order of their index.
 *
 * $1 user, $2 snapshot, $3 chat, $4 stage, $5 transaction and $6 id of the last row read, $7 limit, $8 number of chats
 * to scan. Rows of a transaction that has not begun come from a database from which this one was restored.
 */
export const changesSince = prepared(
  'sync: changes',
  `
with own as materialized (
  select chat_id as id, ${seen('membership_xid')} and ${seen('state_xid')} as is_seen
  from chat_members
  where user_id = $1 and chat_id >= $3::bigint + case when $4::int = ${STAGE.end} then 1 else 0 end
  order by chat_id limit $8::int
), state as materialized (
  select id, kind, ${otherInSql('chats', '$1')} as other_id, ${isTouched} as is_touched
  from chats where id = any (array(select id from own))
), changed as materialized (
  select chat_id as id from messages
  where chat_id = any (array(select id from own))
    and changed_xid >= ${floor} and changed_xid < ${due} and not ${visible('changed_xid')}
  order by chat_id limit $7::int
), span as materialized (
  select
    case when (select count(*) from changed) = $7::int then (select max(id) from changed)
      else (select max(id) from own) end as last_id,
    (select count(*) from changed) = $7::int or (select count(*) from own) = $8::int as is_cut
), found as (
  select id, bool_or(is_certain) as is_certain
  from (
    select id, true as is_certain from own where not is_seen
    union all
    select id, false from state where is_touched
    union all
    select id, true from state
    where kind = 'dialog' and (
      select ${seen('coalesce(shown_xid, state_xid)')} from chat_members
      where chat_id = state.id and user_id = other_id
    ) is false
    union all
    select distinct id, true from changed
  ) happened
  where id <= (select last_id from span)
  group by id
)
(select chat.id as "chatId", change.stage, change.xid::text::bigint as xid, change.id as at,
  change.is_included as "isIncluded", change.is_last as "isLast"
from (
  select found.id, first_seq, kind, last_seq, has_new,
    case when found.id = $3 then $4::int else -1 end as from_stage, $5::xid8 as from_xid, $6::bigint as from_id
  from (select * from found order by id) found
  cross join lateral (
    select first_seq from chat_members where chat_id = found.id and user_id = $1 limit 1
  ) member
  cross join lateral (
    select kind, last_seq, changed_xid from chats where id = found.id and last_seq > 0 and closed_at is null limit 1
  ) state
  cross join lateral (select ${isSeen('found.id', 'last_seq')} is false as has_new offset 0) news
  where is_certain or has_new or not ${seen('changed_xid')}
) chat
cross join lateral (
  select case when has_new then (${newestSeen}) else last_seq end as seen_seq offset 0
) known
cross join lateral (
  select * from (
    select ${STAGE.chat} as stage, '0'::xid8 as xid, 0::bigint as id, true as is_included, false as is_last
    where from_stage < ${STAGE.chat}
    union all ${changesIn({
      stage: STAGE.member,
      late: STAGE.lateMember,
      table: 'chat_members',
      xid: 'membership_xid',
      id: 'user_id',
      where: `kind = 'group'`,
      isIncluded: 'true',
    })}
    union all ${changesIn({
      stage: STAGE.memberLeft,
      late: STAGE.lateMemberLeft,
      table: 'former_members',
      xid: 'xid',
      id: 'user_id',
      where: `kind = 'group'`,
      isIncluded: 'true',
    })}
    union all ${changesIn({
      stage: STAGE.changed,
      late: STAGE.lateChanged,
      table: 'messages',
      xid: 'changed_xid',
      id: 'seq',
      where: 'true',
      isIncluded: 'id between first_seq and seen_seq',
    })}
    union all
    select ${STAGE.message}, '0', seq, true, false
    from (
      select greatest(first_seq, seen_seq + 1, case when from_stage = ${STAGE.message} then from_id + 1 end) as first
    ) span
    cross join lateral generate_series(first, least(last_seq, first + $7::int - 1)) seq
  ) changes
  order by stage, xid, id
  limit $7::int
) change
order by chat.id, change.stage, change.xid, change.id
limit $7::int)
union all
select last_id, ${STAGE.end}, 0, 0, false, true from span where is_cut
`,
);
