import { claimIsValid, claimRows } from '../auth/tokenValidity.ts';
import { prepared } from '../database/statements.ts';
import type { UserId } from '../ids.ts';

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
