import { prepared } from '../database/statements.ts';

/**
 * A condition on the visibility of a row. What is settled is visible, whatever its transaction: rows of a copied database have
 * numbers of transactions that may not have begun here.
 */
const isInWindow = `
  ($3::pg_snapshot is null or not pg_visible_in_snapshot(xid, $3::pg_snapshot))
  and (
    pg_visible_in_snapshot(xid, $4::pg_snapshot)
    or ($3 is null and (id <= $9::bigint or xid >= pg_snapshot_xmax(pg_current_snapshot())))
  )
`;

/**
 * Returns a statement that lists messages and the rows of `events` in a window, in the order of their ids, which is the
 * order of `seq` within a chat, and of the versions of a message. `isLast` marks the row at which the scan stopped, included
 * or not; more may follow.
 *
 * $1 and $2 first and last id, $3 snapshot at the beginning of the window or null, $4 snapshot at its end, $5 group or null,
 * $6 types of changes or null for all, $7 true if texts are included, $8 rows to scan, $9 the id up to which everything
 * is settled. System messages always are included: their
 * types are not known here.
 */
const scan = (name: string, message: string) =>
  prepared(
    name,
    `
with recursive ${message}, change as materialized (
  select xid, id, created_at, chat_id, message_id, user_id, type, data from events
  where id >= $1 and id <= $2
  order by id limit $8::int
), scanned as (
  select *, row_number() over (order by id) = $8::int as is_last
  from (
    select xid, id, created_at, chat_id, id as message_id, null::bigint as user_id, null as type,
      case when kind = 'system' then custom end as data, kind = 'system' and seq = 1 as is_first,
      kind = 'system' or $7::boolean as is_requested
    from message
    union all
    select xid, id, created_at, chat_id, message_id, user_id, type, data, false, $6::text[] is null or type = any ($6)
    from change
  ) either
  order by id limit $8::int
)
select * from (
  select id, created_at as "createdAt", chat_id as "chatId", message_id as "messageId", user_id as "userId", type, data,
    is_first as "isFirst", is_last as "isLast",
    is_requested and ($5::bigint is null or chat_id = $5) and ${isInWindow} as "isIncluded"
  from scanned
) found
where "isIncluded" or "isLast"
order by id
`,
  );

const columns = 'xid, id, created_at, chat_id, seq, kind, custom';

/** Scans all messages, by the indexes on id. */
export const scanEvents = scan(
  'events: scan',
  `message as materialized (
  select ${columns} from messages
  where id >= $1::bigint and id <= $2::bigint
  order by id limit $8::int
)`,
);

/** Scans the messages of the group $5 by key, from the first that has the id $1 or a higher one: by a binary search. */
export const scanEventsOfGroup = scan(
  'events: scan of a group',
  `search (low, high) as (
  select 1::bigint, (select last_seq from chats where id = $5::bigint) + 1
  union all
  select case when is_before then middle + 1 else low end, case when is_before then high else middle end
  from search
  cross join lateral (select (low + high) / 2 as middle) halves
  cross join lateral (
    select (select id from messages where chat_id = $5 and seq = middle) < $1::bigint as is_before
  ) probe
  where low < high
), message as materialized (
  select ${columns} from messages
  where chat_id = $5 and seq >= (select low from search where low = high) and id <= $2::bigint
  order by seq limit $8::int
)`,
);
