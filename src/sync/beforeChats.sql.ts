import { prepared } from '../database/statements.ts';
import { due, floor, visible } from './seen.sql.ts';
import { STAGE } from './syncCursor.ts';

/* Statements for the changes listed before those of chats, each ordered by transaction like its index. */

/** Renamed users scanned per statement. A client that was offline for long continues page by page. */
const MAX_RENAMES = 1_000;

/**
 * Lists the users whose username has changed since a snapshot and who share a chat with a user, or have left a group of
 * the user, where their messages remain visible. Ordered by transaction like the index.
 *
 * $1 user, $2 snapshot, $3 transaction and $4 user of the last row read, $5 limit.
 */
export const renamedSince = prepared(
  'sync: renames',
  `
select 0 as "chatId", ${STAGE.name} as stage, renamed.id as at, renamed.name_xid::text::bigint as xid,
  shared.is_shared as "isIncluded", renamed.n = ${MAX_RENAMES} as "isLast"
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
 * Lists the groups that a user has left since a snapshot, in the order of the index former_members_of_user, and the
 * closed groups whose members are still to be moved there, with the transaction that they will have. This is one
 * statement, because a group moved between two statements would appear in neither.
 *
 * $1 user, $2 snapshot, $3 transaction and $4 group of the last row read, $5 limit.
 */
export const leftSince = prepared(
  'sync: left',
  `
select 0 as "chatId", ${STAGE.left} as stage, xid::text::bigint as xid, chat_id as at, true as "isIncluded", false as "isLast"
from (
  (
    select xid, chat_id from former_members
    where user_id = $1 and xid >= ${floor} and xid < ${due}
      and (xid, chat_id) > ($3::xid8, $4::bigint) and not ${visible('xid')}
      and (select true from chat_members where chat_id = former_members.chat_id and user_id = $1) is null
    order by xid, chat_id
    limit $5::int
  )
  union all
  select closed.changed_xid, closed.id from closures
  cross join lateral (
    select id, changed_xid from chats where id = closures.chat_id and closed_at is not null limit 1
  ) closed
  where changed_xid >= ${floor} and changed_xid < ${due}
    and (changed_xid, closed.id) > ($3::xid8, $4::bigint) and not ${visible('changed_xid')}
    and (select true from chat_members where chat_id = closed.id and user_id = $1)
) left_group
order by left_group.xid, chat_id
limit $5::int
`,
);
