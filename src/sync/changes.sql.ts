import { prepared } from '../database/statements.ts';
import type { ChatId } from '../ids.ts';
import { type Place, STAGE, type Stage } from './cursor.ts';
import { presentRun } from './databaseRuns.ts';

/** A change, by its place in the list of all. */
export interface ChangeRow {
  /** 0 for what is of no chat, or of one that the user has left. */
  readonly chatId: ChatId | 0;
  readonly stage: Stage;
  /** The transaction of the change; 0 where the list is in no such order, and where it is, the first of the late ones. */
  readonly xid: number;
  /** Seq of a message, id of a user, id of a group that was left; 0 for what there is once. */
  readonly at: number;
  /** False: only where the search stopped. */
  readonly isTold: boolean;
  /** The search stopped with this one: more may follow. */
  readonly isLast: boolean;
}

/** Returns where a list goes on behind a row. */
export const placeOf = ({ chatId, stage, xid, at }: ChangeRow): Place => [chatId, stage, xid, at];

/** True if the transaction in a column was visible to the snapshot $2; one that is not due yet counts as seen. */
const seen = (xid: string): string => `(${xid} < ${floor} or ${visible(xid)} or ${xid} >= ${due})`;
/** The same where the transaction is from `floor` on and due. */
const visible = (xid: string): string => `pg_visible_in_snapshot(${xid}, $2::pg_snapshot)`;
/** No older transaction was missed: lets the indexes by transactions begin where it matters. */
const floor = 'pg_snapshot_xmin($2::pg_snapshot)';
/** This transaction and later ones have not begun. */
const due = '(select pg_snapshot_xmax(pg_current_snapshot()))';
/** Every transaction before this one has ended. */
const settled = '(select pg_snapshot_xmin(pg_current_snapshot()))';

/**
 * True of a row of `chats` that may have been written since the snapshot $2. Every message is counted there, and every
 * change of the group or its members is a message: so what PostgreSQL keeps for itself says it, at no cost for who
 * writes. As ages, for xmin has 32 bits: one that is so old that its number was given again only seems younger.
 */
const isTouched = `age(chats.xmin) <= (
  select case
    when pg_snapshot_xmax(pg_current_snapshot())::text::bigint - ${floor}::text::bigint < 2000000000
      then age(${floor}::xid)
    else 2147483647
  end
)`;

/** True if a message of a chat was visible to the snapshot $2; null where there is none. */
const isSeen = (chat: string, seq: string): string =>
  `(select ${seen('xid')} from messages where chat_id = ${chat} and seq = ${seq})`;

/**
 * The highest `seq` of a chat that was visible to the snapshot $2, 0 for none, where the newest was not. All below one
 * that was visible were so, too: from the newest one back in steps that double, then between the last two of them.
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

export const presentState = prepared(
  'sync: present',
  `
select pg_current_snapshot()::text as snapshot, ${presentRun} as database, clock_timestamp() as time
`,
);

/** Rows of one kind that change within a chat. */
interface Changing {
  /** The stages of what changed in settled transactions, and of what changed later. */
  readonly stage: Stage;
  readonly late: Stage;
  /** The table, and its columns for the transaction and for the id within the chat, which an index has in this order. */
  readonly table: string;
  readonly xid: string;
  readonly id: string;
  /** Chats that have any, and those of them that are told, by `id`. */
  readonly where: string;
  readonly isTold: string;
}

/** Rows of a chat that one statement looks at to find those that are told. */
const MAX_PASSED = 5_000;

/**
 * What changed in a chat since the snapshot $2, from the place on: in the order of the transactions, as far as all of
 * them have ended, so that nothing can come before the place any more; then what is later, which is little, in the
 * order of the ids. What changes meanwhile moves from the first part to the second one, and is told there.
 */
const changesIn = ({ stage, late, table, xid, id, where, isTold }: Changing): string => `
    (
      select ${stage}, xid, id, is_told, n = ${MAX_PASSED}
      from (
        select
          case when from_stage = ${stage} then from_xid else ${floor} end as after_xid,
          case when from_stage = ${stage} then from_id else -1 end as after_id
        where ${where} and from_stage <= ${stage} offset 0
      ) place
      cross join lateral (
        select xid, id, ${isTold} as is_told, row_number() over () as n
        from (
          select ${xid} as xid, ${id} as id from ${table}
          where chat_id = chat.id and (${xid}, ${id}) > (after_xid, after_id) and ${xid} < ${settled}
            and not ${visible(xid)}
          order by ${xid}, ${id}
          limit (select ${MAX_PASSED})
        ) found
      ) passed
      where is_told or n = ${MAX_PASSED}
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
      where ${isTold} and id > case when from_stage = ${late} then from_id else -1 end
      order by id
      limit $7
    )`;

/**
 * Names what changed in a user's chats since a snapshot, chat by chat. A row is seen when the transaction of its
 * last change was visible to that snapshot: exactly what the client was told of, however many transactions were
 * open then (PostgreSQL, "Transaction ID and Snapshot Information Functions"). A chat's messages become visible in
 * the order of seq, because each holds the lock of the chat until its commit: so the new ones are those above the
 * newest that is seen, and as their numbers have no gap, they are not read to be named.
 *
 * 1. `own` has the next chats of the user in the order of their ids (index chat_members_of_user); the other steps look
 *    them up in that order, by the keys of chats and chat_members and the index messages_changes, so that neighbours
 *    are on the same pages.
 * 2. `found` are those where something happened, or may have where the row of the chat was written; `known` says what.
 * 3. Of these, what changed comes from the place on, from indexes on (chat_id, transaction, id).
 *
 * What a member may not see stays out wherever a cursor says to go on: they may have been out of the chat meanwhile. A
 * dialog whose first message was refused has none, and is told to nobody; who is in a group that is closed is out of
 * it. Whatever the statistics say: single rows are read by scalar subqueries, for an `exists` may become a hash of
 * the whole chat, and what changed in the order of its index, for that leads to it.
 *
 * $1 user, $2 the snapshot, $3 chat, $4 stage, $5 transaction and $6 id of the last row read, $7 limit,
 * $8 number of chats to look at. Rows of a transaction that is not due yet come from another database that this one was
 * restored from.
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
  select id, kind, user_low + user_high - $1 as other_id, ${isTouched} as is_touched
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
select chat.id as "chatId", change.stage, change.xid::text::bigint as xid, change.id as at,
  change.is_told as "isTold", change.is_last as "isLast"
from (
  select found.id, first_seq, kind, last_seq, has_new, is_closed,
    case when found.id = $3 then $4::int else -1 end as from_stage, $5::xid8 as from_xid, $6::bigint as from_id
  from (select * from found order by id) found
  cross join lateral (
    select first_seq from chat_members where chat_id = found.id and user_id = $1 limit 1
  ) member
  cross join lateral (
    select kind, last_seq, changed_xid, closed_at is not null as is_closed
    from chats where id = found.id and last_seq > 0
    limit 1
  ) state
  cross join lateral (select ${isSeen('found.id', 'last_seq')} is false as has_new offset 0) news
  where is_certain or has_new or not ${seen('changed_xid')}
) chat
cross join lateral (
  select case when has_new and not is_closed then (${newestSeen}) else last_seq end as seen_seq offset 0
) known
cross join lateral (
  select * from (
    select ${STAGE.closed} as stage, '0'::xid8 as xid, 0::bigint as id, true as is_told, false as is_last
    where is_closed and from_stage < ${STAGE.closed}
    union all
    select ${STAGE.chat}, '0', 0, true, false where not is_closed and from_stage < ${STAGE.chat}
    union all ${changesIn({
      stage: STAGE.member,
      late: STAGE.lateMember,
      table: 'chat_members',
      xid: 'membership_xid',
      id: 'user_id',
      where: `not is_closed and kind = 'group'`,
      isTold: 'true',
    })}
    union all ${changesIn({
      stage: STAGE.memberLeft,
      late: STAGE.lateMemberLeft,
      table: 'former_members',
      xid: 'xid',
      id: 'user_id',
      where: `not is_closed and kind = 'group'`,
      isTold: 'true',
    })}
    union all ${changesIn({
      stage: STAGE.changed,
      late: STAGE.lateChanged,
      table: 'messages',
      xid: 'changed_xid',
      id: 'seq',
      where: 'not is_closed',
      isTold: 'id between first_seq and seen_seq',
    })}
    union all
    select ${STAGE.message}, '0', seq, true, false
    from (
      select greatest(first_seq, seen_seq + 1, case when from_stage = ${STAGE.message} then from_id + 1 end) as first
      where not is_closed
    ) span
    cross join lateral generate_series(first, least(last_seq, first + $7::int - 1)) seq
  ) changes
  order by stage, xid, id
  limit $7::int
) change
union all
select last_id, ${STAGE.end}, 0, 0, false, true from span where is_cut
order by "chatId", stage, xid, at
limit $7::int
`,
);

/**
 * Names all there is in a user's chats, chat by chat, as many as a page takes, whose numbers say that without a look at
 * the messages. Index chat_members_of_user.
 *
 * $1 user, $2 chat, $3 stage and $4 id of the last row read, $5 limit.
 */
export const everything = prepared(
  'sync: everything',
  `
select chat.id as "chatId", change.stage, 0 as xid, change.at, true as "isTold", false as "isLast"
from (
  select *, coalesce(sum(count) over (order by id rows between unbounded preceding and 1 preceding), 0) as before
  from (
    select id, from_stage, first, least(last_seq, first + $5::int - 1) as last,
      greatest(last_seq - first + 1, 0) + case when from_stage < ${STAGE.chat} then 1 else 0 end as count
    from (
      select member.chat_id as id, last_seq, case when member.chat_id = $2 then $3::int else -1 end as from_stage,
        greatest(first_seq, case when member.chat_id = $2 and $3 = ${STAGE.message} then $4::bigint + 1 end) as first
      from (
        select chat_id, first_seq from chat_members
        where user_id = $1 and chat_id >= $2::bigint order by chat_id
      ) member
      cross join lateral (
        select last_seq from chats where id = member.chat_id and last_seq > 0 and closed_at is null limit 1
      ) state
      order by member.chat_id
      limit $5::int + 1
    ) found
  ) counted
) chat
cross join lateral (
  select ${STAGE.chat} as stage, 0::bigint as at where from_stage < ${STAGE.chat}
  union all
  select ${STAGE.message}, seq from generate_series(first, last) seq
) change
where before < $5::int
order by chat.id, change.stage, change.at
limit $5::int
`,
);

/** Renamed users that one statement looks at: a client that was away for long goes on from page to page. */
const MAX_RENAMES = 1_000;

/**
 * Names the people who have another username since a snapshot and share a chat with a user, or have left a group that
 * the user is in: their messages are there still, where the user may see them. In the order of the transactions, which the index has.
 *
 * $1 user, $2 the snapshot, $3 transaction and $4 user of the last row read, $5 limit.
 */
export const renamedSince = prepared(
  'sync: renames',
  `
select 0 as "chatId", ${STAGE.name} as stage, renamed.id as at, renamed.name_xid::text::bigint as xid,
  shared.is_shared as "isTold", renamed.n = ${MAX_RENAMES} as "isLast"
from (
  select id, name_xid, row_number() over (order by name_xid, id) as n from (
    select id, name_xid from users
    where name_xid >= ${floor} and name_xid < ${due}
      and (name_xid, id) > ($3::xid8, $4::bigint) and not ${visible('name_xid')}
    order by name_xid, id
    limit ${MAX_RENAMES}
  ) found
) renamed
cross join lateral (
  select renamed.id = $1 or (
    select true from (
      select chat_id, null::bigint as left_seq from chat_members where user_id = renamed.id
      union all
      select chat_id, left_seq from former_members where user_id = renamed.id
    ) theirs
    where (select first_seq from chat_members where chat_id = theirs.chat_id and user_id = $1)
      <= coalesce(left_seq, ${Number.MAX_SAFE_INTEGER})
    limit 1
  ) is true as is_shared
  offset 0
) shared
where shared.is_shared or renamed.n = ${MAX_RENAMES}
order by renamed.name_xid, renamed.id
limit $5
`,
);

/**
 * Names the groups that a user has left since a snapshot, in the order of the index former_members_of_user.
 *
 * $1 user, $2 the snapshot, $3 transaction and $4 group of the last row read, $5 limit.
 */
export const leftSince = prepared(
  'sync: left',
  `
select 0 as "chatId", ${STAGE.left} as stage, xid::text::bigint as xid, chat_id as at, true as "isTold", false as "isLast"
from (
  select xid, chat_id from former_members
  where user_id = $1 and xid >= ${floor} and xid < ${due}
    and (xid, chat_id) > ($3::xid8, $4::bigint) and not ${visible('xid')}
    and (select true from chat_members where chat_id = former_members.chat_id and user_id = $1) is null
  order by xid, chat_id
  limit $5::int
) gone
order by gone.xid, chat_id
`,
);
