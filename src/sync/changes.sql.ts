import { prepared } from '../database/statements.ts';
import type { ChatId, UserId } from '../ids.ts';
import type { Place } from './cursor.ts';
import { presentRun } from './databaseRuns.ts';

/** The kinds of change in the order they come within a chat. */
export const RANK = { left: 0, chat: 1, member: 2, memberLeft: 3, message: 4, user: 5 } as const;

export interface ChangeRow {
  readonly chatId: ChatId;
  readonly rank: Exclude<(typeof RANK)[keyof typeof RANK], typeof RANK.user>;
  /** Seq of a message, id of a member, 0 for what there is once. */
  readonly at: number;
}

/** Somebody has another name. It comes before all chats. */
export interface RenameRow {
  readonly chatId: 0;
  readonly rank: typeof RANK.user;
  readonly userId: UserId;
  /** The transaction of the change. */
  readonly at: number;
  /** False: not of anybody who shares a chat, and only where the search stopped. */
  readonly isShared: boolean;
  /** The search stopped with this one: more may follow. */
  readonly isLast: boolean;
}

/** Returns where a list goes on behind a row. */
export function placeOf(row: ChangeRow | RenameRow): Place {
  return row.rank === RANK.user ? [0, row.userId, row.at] : [row.chatId, row.rank, row.at];
}

/** True if the transaction in a column was visible to the snapshot $2; one that is not due yet counts as seen. */
export const seen = (xid: string): string => `(
  $2::text is not null
  and (pg_visible_in_snapshot(${xid}, $2::pg_snapshot) or ${xid} >= pg_snapshot_xmax(pg_current_snapshot()))
)`;
/** No older transaction was missed: lets the indexes on (chat_id, xid) begin where it matters. */
const floor = `coalesce(pg_snapshot_xmin($2::pg_snapshot), '0'::xid8)`;

/**
 * The highest `seq` of a chat that was visible to the snapshot $2, 0 for none, where the newest was not: a binary
 * search, for all below one that was visible were so, too.
 */
const newestSeen = `
  with recursive search (low, high) as (
    select 0::bigint, chat.last_seq - 1
    union all
    select case when is_seen then probe else low end, case when is_seen then high else probe - 1 end
    from search
    cross join lateral (select (low + high + 1) / 2 as probe) middle
    cross join lateral (
      select (select ${seen('xid')} from messages where chat_id = chat.id and seq = probe) is true as is_seen
    ) probed
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

/**
 * Names what changed in a user's chats since a snapshot, chat by chat. A row is seen when the transaction of its
 * last change was visible to that snapshot: exactly what the client was told of, however many transactions were
 * open then (PostgreSQL, "Transaction ID and Snapshot Information Functions"). A chat's messages become visible in
 * the order of seq, because each holds the lock of the chat until its commit: so the new ones are those above the
 * newest that is seen, which is found in as many steps as its `seq` has bits, however many are new. Streams: chats in
 * the order of their ids, and no further than the limit. What a member may not see stays out wherever a cursor says to
 * go on: they may have been out of the chat meanwhile. A dialog whose first message was refused has none, and is told
 * to nobody. Whatever the statistics say: single rows are read by scalar subqueries, for an `exists` may become
 * a hash of the whole chat, and what changed in the order of the index on (chat_id, xid), for that leads to it.
 *
 * $1 user, $2 the snapshot or null, $3 chat, $4 rank and $5 place of the last row read, $6 limit. Rows of a
 * transaction that is not due yet come from another database that this one was restored from.
 */
export const changesSince = prepared(
  'sync: changes',
  `
with chat as materialized (
  select chats.id, chats.kind, chats.last_seq, chats.changed_xid, chats.user_low + chats.user_high - $1 as other_id,
    member.first_seq, case when closed_at is null then member.membership_xid else chats.changed_xid end as membership_xid,
    member.state_xid, closed_at is not null as gone
  from chat_members member join chats on chats.id = member.chat_id
  where member.user_id = $1 and chats.id >= $3 and chats.last_seq > 0
  union all
  select chats.id, chats.kind, 0, chats.changed_xid, null, 0, former.xid, former.xid, true
  from former_members former join chats on chats.id = former.chat_id
  where former.user_id = $1 and chats.id >= $3
    and not exists (select from chat_members where chat_id = former.chat_id and user_id = $1)
)
select chat.id as "chatId", change.rank, change.at
from (select * from chat order by id) chat
cross join lateral (
  select rank, at from (
    select ${RANK.left} as rank, 0::bigint as at
    where $2::text is not null and chat.gone and not ${seen('chat.membership_xid')}
    union all
    select ${RANK.chat}, 0
    where not chat.gone and (
      not ${seen('chat.membership_xid')} or not ${seen('chat.state_xid')} or not ${seen('chat.changed_xid')}
      or (select ${seen('xid')} from messages where chat_id = chat.id and seq = chat.last_seq) is false
      or chat.kind = 'dialog' and (
        select ${seen('coalesce(shown_xid, state_xid)')} from chat_members
        where chat_id = chat.id and user_id = chat.other_id
      ) is false
      or (
        select true from messages
        where chat_id = chat.id and changed_xid >= ${floor} and not ${seen('changed_xid')}
        order by changed_xid limit 1
      )
    )
    union all
    select ${RANK.member}, user_id from (
      select user_id from chat_members
      where $2::text is not null and not chat.gone and chat.kind = 'group' and chat_id = chat.id
        and membership_xid >= ${floor} and not ${seen('membership_xid')}
      order by membership_xid offset 0
    ) changed
    union all
    select ${RANK.memberLeft}, user_id from (
      select user_id from former_members
      where $2::text is not null and not chat.gone and chat.kind = 'group' and chat_id = chat.id
        and xid >= ${floor} and not ${seen('xid')}
      order by xid offset 0
    ) gone
    union all
    (
      select ${RANK.message}, seq from (
        select seq from messages
        where $2::text is not null and not chat.gone and chat_id = chat.id
          and changed_xid >= ${floor} and not ${seen('changed_xid')} and seq >= chat.first_seq
        order by changed_xid offset 0
      ) changed
    )
    union
    (
      select ${RANK.message}, seq from messages
      where not chat.gone and chat_id = chat.id
        and seq > greatest(chat.first_seq - 1, case
          when chat.id = $3 and $4 = ${RANK.message} and exists (
            select from messages where chat_id = chat.id and seq = $5 and not ${seen('xid')}
          ) then $5
          when $2::text is null then 0
          when (
            select ${seen('xid')} from messages where chat_id = chat.id and seq = chat.last_seq
          ) then chat.last_seq
          else (${newestSeen})
        end)
      order by seq
      limit $6
    )
  ) changes
  where chat.id > $3 or (rank, at) > ($4::int, $5::bigint)
  order by rank, at
  limit $6
) change
order by chat.id, change.rank, change.at
limit $6
`,
);

/** Renamed users that one statement looks at: a client that was away for long goes on from page to page. */
const MAX_RENAMES = 5_000;

/**
 * Names the people who have another username since a snapshot and share a chat with a user, or have left a group that
 * the user is in: their messages are there still, where the user may see them. In the order of the transactions, which the index has.
 *
 * $1 user, $2 the snapshot, $3 id and $4 transaction of the last one read, $5 limit.
 */
export const renamedSince = prepared(
  'sync: renames',
  `
select 0 as "chatId", ${RANK.user} as rank, renamed.id as "userId", renamed.name_xid::text::bigint as at,
  shared.is_shared as "isShared", renamed.n = ${MAX_RENAMES} as "isLast"
from (
  select id, name_xid, row_number() over (order by name_xid, id) as n from (
    select id, name_xid from users
    where name_xid >= ${floor} and name_xid < pg_snapshot_xmax(pg_current_snapshot())
      and (name_xid, id) > ($4::text::xid8, $3::bigint) and not ${seen('name_xid')}
    order by name_xid, id
    limit ${MAX_RENAMES}
  ) found
) renamed
cross join lateral (
  select renamed.id = $1 or exists (
    select from (
      select chat_id, null::bigint as left_seq from chat_members where user_id = renamed.id
      union all
      select chat_id, left_seq from former_members where user_id = renamed.id
    ) theirs
    cross join lateral (
      select first_seq from chat_members where chat_id = theirs.chat_id and user_id = $1 limit 1
    ) own
    where theirs.left_seq is null or own.first_seq <= theirs.left_seq
  ) as is_shared
) shared
where shared.is_shared or renamed.n = ${MAX_RENAMES}
order by renamed.name_xid, renamed.id
limit $5
`,
);
