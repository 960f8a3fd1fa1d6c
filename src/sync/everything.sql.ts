import { prepared } from '../database/statements.ts';
import { STAGE } from './syncCursor.ts';

/**
 * Lists everything in a user's chats, chat by chat, up to the limit. The counters of the chats suffice, messages are
 * not read. Uses the index chat_members_by_user.
 *
 * $1 user, $2 chat, $3 stage and $4 id of the last row read, $5 limit.
 */
export const everything = prepared(
  'sync: everything',
  `
select chat.id as "chatId", change.stage, 0 as xid, change.at, true as "isIncluded", false as "isLast"
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
