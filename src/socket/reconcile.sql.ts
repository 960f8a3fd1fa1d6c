import { claimIsValid, claimRows } from '../auth/tokenValidity.ts';
import { prepared } from '../database/statements.ts';
import type { UserId } from '../ids.ts';
import { due } from '../sync/seen.sql.ts';
import { otherInSql } from '../users/pairs.ts';

/* Statements that read the state with which the connections of a node are compared. All of them look up by key. */

/** Tokens, given as `claims`, that are not valid any more. */
export const revokedTokens = prepared(
  'revoked tokens',
  `
select claim.id from ${claimRows} where (select true from users where ${claimIsValid}) is null
`,
);

export interface ChatsRow {
  readonly userId: UserId;
  /** All chats and the oldest message that may be seen of each, `id:firstSeq,id:firstSeq`, in the order of the ids. */
  readonly memberships: string;
  /** Those of them that are groups, `id,id`, in the order of the ids. */
  readonly groups: string;
  /** Groups with new messages since the last round, and how far they are: `id:seq,id:seq`. */
  readonly groupHeads: string;
  /** The same of dialogs. */
  readonly dialogHeads: string;
}

/**
 * $1 users, each with the snapshot after which they listen, $2 since when messages are asked for, with $3 seconds more;
 * null: those of the last two minutes. Of dialogs only those whose newest message was not visible to the snapshot.
 * From the memberships (index chat_members_by_user) to the chats by a list of ids, in one pass over the primary key: a
 * slice costs the same whatever others have stored.
 */
export const chatsOfUsers = prepared(
  'chats of users',
  `
select requested.id as "userId", own.memberships, own.groups, own."groupHeads", own."dialogHeads"
from jsonb_to_recordset($1::jsonb) as requested (id bigint, snapshot text)
cross join lateral (
  with own as materialized (select chat_id, first_seq from chat_members where user_id = requested.id)
  select
    (select coalesce(string_agg(chat_id || ':' || first_seq, ',' order by chat_id), '') from own) as memberships,
    coalesce(string_agg(id::text, ',' order by id) filter (where kind = 'group'), '') as groups,
    coalesce(string_agg(id || ':' || last_seq, ',') filter (where kind = 'group' and is_recent), '') as "groupHeads",
    coalesce(string_agg(id || ':' || last_seq, ',') filter (
      where kind = 'dialog' and is_recent and not exists (
        select from messages where chat_id = chat.id and seq = last_seq
          and pg_visible_in_snapshot(xid, requested.snapshot::pg_snapshot)
      )
    ), '') as "dialogHeads"
  from (
    select id, kind, last_seq, last_message_at > coalesce($2::timestamptz, clock_timestamp() - interval '2 minutes')
      - make_interval(secs => $3) as is_recent
    from chats where id = any (array(select chat_id from own)) and closed_at is null
  ) chat
) own
`,
);

/**
 * Memberships of the user $1 in the groups that the user is in, or is taken to be in ($2): where each was,
 * the oldest message to be seen, and for those that not all connections are in ($3 are) the newest message from before
 * the user joined, unless more than a thousand came since.
 */
export const membershipsOfUser = `
select chats.id as "chatId", chats.last_seq as seq, member.first_seq as "firstSeq",
  case when is_new then coalesce(joined.before, 0) end as before,
  is_new and joined.before is null and chats.last_seq > 1000 as "isLong"
from (
  select chat_id from chat_members where user_id = $1
  union
  select value::bigint from jsonb_array_elements_text($2::jsonb)
) named
cross join lateral (select * from chats where id = named.chat_id and kind = 'group' limit 1) chats
left join lateral (
  select * from chat_members where chat_id = chats.id and user_id = $1 and chats.closed_at is null limit 1
) member on true
cross join lateral (
  select member.user_id is not null and not $3::jsonb @> to_jsonb(chats.id) as is_new
) state
left join lateral (
  select max(seq) as before
  from (select seq, created_at from messages where is_new and chat_id = chats.id order by seq desc limit 1000) newest
  where created_at < member.joined_at
) joined on true
`;

export interface Block {
  readonly userId: UserId;
  readonly other: UserId;
}

/** Users who are blocked by, or block, the users $1. */
export const blocksOfUsers = `
select "userId", other
from jsonb_array_elements_text($1::jsonb) requested
cross join lateral (
  select user_id as "userId", blocked_id as other from blocks where user_id = requested.value::bigint
  union all
  select blocked_id, user_id from blocks where blocked_id = requested.value::bigint
) block
`;

export interface Committed {
  /** Index of the message in the list. */
  readonly at: number;
  readonly head: number;
  /** `seq` of the message, if it is found by its clientMessageId. */
  readonly own: number | null;
}

/** $1 messages: chat, sender and clientMessageId, if there is one. */
export const committedMessages = `
select (requested.ord - 1)::int as at, chats.last_seq as head, (
  select seq from messages
  where sender_id = (value->>'sender')::bigint and client_message_id = value->>'name' and chat_id = chats.id
) as own
from jsonb_array_elements($1::jsonb) with ordinality as requested (value, ord)
cross join lateral (select id, last_seq from chats where id = (value->>'chat')::bigint limit 1) chats
`;

/** Users about whom a transaction from $1 on has written to the outbox. */
export const usersWithNotices = `
select distinct substr(topic, 6)::bigint as "userId" from notices
where topic like 'user:%' and age(notices.xmin) <= age($1::xid8::xid)
`;

/**
 * Those of the users $1 to whom a node may not have pushed a change in the transaction $2 or a later one; each user with the
 * snapshot after which they listen, and left out if that has everything below the transaction $3. A change is found
 *
 * - in `messages`, by the newest change of each chat (index messages_changes);
 * - in the user's row of `chat_members`, and in that of the other person of a dialog;
 * - as a new username, by the index users_renamed: it concerns the chats of that user, left ones as well;
 * - in the outbox, if it is in no such row: it concerns the users $4 who are named there, and their dialogs.
 *
 * Changes that other nodes have pushed are found as well: rows do not say who changed them.
 */
export const usersWithChanges = `
with requested as materialized (
  select id, greatest($2::xid8, pg_snapshot_xmin(snapshot::pg_snapshot)) as since
  from jsonb_to_recordset($1::jsonb) as requested (id bigint, snapshot text)
  where pg_snapshot_xmin(snapshot::pg_snapshot) < $3::xid8
), own as materialized (
  select requested.id as user_id, requested.since, member.chat_id, member.xid
  from requested
  cross join lateral (
    select chat_id, greatest(membership_xid, state_xid) as xid from chat_members where user_id = requested.id
  ) member
), renamed as materialized (
  select id from users where name_xid >= $2::xid8 and name_xid < ${due}
), naming as materialized (
  select chat_id from chat_members where user_id = any (array(select id from renamed))
  union all
  select chat_id from former_members where user_id = any (array(select id from renamed))
), chat as materialized (
  select id, kind, user_low, user_high, (
    select changed_xid from messages
    where chat_id = chats.id and changed_xid < ${due} order by changed_xid desc limit 1
  ) as changed_xid
  from chats where id = any (array(select chat_id from own))
)
select id as "userId" from requested
where id = any ($4::bigint[]) or id = any (array(select id from renamed))
union
select own.user_id
from own
join chat on chat.id = own.chat_id
left join lateral (
  select user_id, coalesce(shown_xid, state_xid) as xid from chat_members
  where chat.kind = 'dialog' and chat_id = chat.id and user_id = ${otherInSql('chat', 'own.user_id')}
  limit 1
) other on true
where (own.xid >= own.since and own.xid < ${due})
  or chat.changed_xid >= own.since
  or (other.xid >= own.since and other.xid < ${due})
  or other.user_id = any ($4::bigint[])
  or chat.id = any (array(select chat_id from naming))
`;
