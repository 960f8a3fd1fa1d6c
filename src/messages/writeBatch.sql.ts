import { moveOwnPosition } from './ownPosition.sql.ts';

/**
 * Stores a batch of messages: one statement, one round trip, one commit.
 *
 * Parameters are arrays of equal length with one element per draft: chat ids, sender ids, receiver ids (null for a
 * group), kinds, contents, client message ids (null for none), and the extras as JSON (null for none): replyTo, silent,
 * custom, forwardedFrom, ifSeq, and mentioned names. All drafts of a chat have the same ifSeq, or none.
 *
 * 1. `draft` numbers the drafts in arrival order.
 * 2. `judged` checks each draft: membership, block, posting right, slow mode, the message replied to. Lateral joins
 *    with a limit make PostgreSQL use indexes regardless of statistics. System messages are checked by the change that
 *    writes them.
 * 3. `chosen` sets the `target` chat of those to store: neither refused nor known by their client message id, which is
 *    unique within a batch.
 * 4. `base` locks the targets in id order, so that two nodes never deadlock, and reads `last_seq` under the lock.
 *    `numbered` numbers the targets in the same order (`k`), by which the `last_seq` of a chat is found: a join of the
 *    two would be quadratic in the batch. If the rules of a chat changed since its drafts were checked
 *    (`rules_version`, whose current value is only visible under the lock), they are refused as `STALE` and checked
 *    again. A draft with ifSeq is stored if it is the first of its chat and `last_seq` is ifSeq; the others are refused
 *    as `NOT_NEXT`, which leaves no gap, because none without ifSeq follows them. If message ifSeq + 1 was stored after
 *    the check, it may be the same message from another node: a draft with a client message id is `STALE` then.
 * 5. `placed` assigns `seq` in arrival order; `stored` inserts in the order of the client message ids, so that two
 *    nodes with the same ids never deadlock; `named` inserts the mentions, `counted` updates the chats. `sent` moves
 *    the senders' own positions, because senders have read what was before.
 *
 * Returns a row per draft in arrival order: seq, id and created_at, `repeated` if they are those of an earlier message,
 * the sender's name and the mentions, or the reason of the `refusal`, with the remaining seconds of slow mode in
 * `slow_for`; the `seq` of `NOT_NEXT` is that of the newest message of the chat. `permit` is the version of the rules
 * under which the sender may write without further checks; the first row contains the `run` of the database.
 */
export const writeBatch = `
with draft as (
  select *
  from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::jsonb[])
    with ordinality as draft (chat_id, sender_id, receiver_id, kind, content, client_message_id, extras, ord)
), judged as (
  select draft.*, sender.username as sender_name, chat.rules_version, chat.slow_mode_seconds,
    chat.last_seq as seen_seq, (extras->'ifSeq')::bigint as if_seq,
    known.seq as known_seq, known.id as known_id, known.created_at as known_at,
    case when known.id is not null then known.mentions when extras is not null then (
      select array_agg(distinct named.user_id)
      from jsonb_array_elements(extras->'mentioned') names
      cross join lateral (
        select member.user_id
        from jsonb_array_elements_text(names) with ordinality as name (folded, ord)
        cross join lateral (select id from users where username_folded = name.folded limit 1) person
        cross join lateral (
          select user_id from chat_members where chat_id = draft.chat_id and user_id = person.id limit 1
        ) member
        order by name.ord limit 1
      ) named
      where named.user_id <> draft.sender_id
    ) end as mentions,
    case
      when known.id is not null then case when known.chat_id is distinct from draft.chat_id then 'OTHER_CHAT' end
      when chat.id is null or (draft.receiver_id is not null and receiver.id is null) then 'NO_CHAT'
      when draft.kind = 'system' then null
      when member.user_id is null or sender.username is null then 'NOT_A_MEMBER'
      when block.user_id is not null then 'BLOCKED'
      when chat.who_may_post = 'admins' and member.role = 'member' then 'NOT_POSTING'
      when extras->'replyTo' is not null and (
        select chat_id = draft.chat_id and seq >= member.first_seq and deleted_at is null
        from messages where id = (extras->'replyTo')::bigint limit 1
      ) is not true then 'NO_ORIGINAL'
      when slow.seconds is not null then 'SLOW_MODE'
    end as refusal, slow.seconds as slow_for
  from draft
  left join lateral (
    select id, who_may_post, slow_mode_seconds, rules_version, last_seq from chats
    where id = draft.chat_id and (kind = 'dialog') = (draft.receiver_id is not null) and closed_at is null limit 1
  ) chat on true
  left join lateral (
    select user_id, role, last_sent_at, first_seq from chat_members
    where chat_id = draft.chat_id and user_id = draft.sender_id limit 1
  ) member on true
  left join lateral (select username from users where id = draft.sender_id limit 1) sender on true
  left join lateral (
    select id from users where id = draft.receiver_id and deleted_at is null limit 1
  ) receiver on true
  left join lateral (
    select user_id from blocks where user_id = draft.receiver_id and blocked_id = draft.sender_id limit 1
  ) block on true
  left join lateral (
    select chat_id, seq, id, created_at, mentions from messages
    where sender_id = draft.sender_id and client_message_id = draft.client_message_id limit 1
  ) known on true
  left join lateral (
    select ceil(chat.slow_mode_seconds - case
      when member.last_sent_at > statement_timestamp() - make_interval(secs => chat.slow_mode_seconds)
      then extract(epoch from statement_timestamp() - member.last_sent_at) else 0
    end)::int as seconds
    where chat.slow_mode_seconds > 0 and member.role = 'member' and (
      member.last_sent_at > statement_timestamp() - make_interval(secs => chat.slow_mode_seconds)
      or (draft.extras->'ifSeq' is null and exists (
        select from unnest($1::bigint[], $2::bigint[]) with ordinality as earlier (chat_id, sender_id, ord)
        where earlier.chat_id = draft.chat_id and earlier.sender_id = draft.sender_id and earlier.ord < draft.ord
      ))
    )
  ) slow on true
), chosen as materialized (
  select *, case when refusal is null and known_id is null then chat_id end as target from judged
), base as (
  select array_agg(chat.last_seq order by target) as last_seqs, array_agg(chat.tally order by target) as tallies,
    array_agg(chat.rules_version order by target) as versions
  from (select distinct target from chosen where target is not null order by target) targets
  cross join lateral (select last_seq, tally, rules_version from chats where id = target for no key update) chat
), numbered as (
  select *,
    dense_rank() over (order by target) as k,
    row_number() over arrival as n,
    count(*) filter (where kind = 'text' and (extras->'silent')::boolean is not true) over arrival as counted
  from chosen
  window arrival as (partition by target order by ord)
), placed as materialized (
  select ord, chat_id, target, sender_id, sender_name, kind, content, client_message_id, extras, mentions,
    case
      when target is not null or chosen_target is null then refusal
      when version is distinct from rules_version then 'STALE'
      when client_message_id is not null and seen_seq <= if_seq and if_seq < last_seq then 'STALE'
      else 'NOT_NEXT'
    end as refusal, slow_for, known_seq, known_id, known_at, rules_version, slow_mode_seconds,
    case
      when target is not null then last_seq + n
      when chosen_target is not null then last_seq + (if_seq = last_seq)::int
    end as seq,
    case when target is not null then tallies[k] + counted end as tally,
    case when target is not null then nextval('messages_id_seq') end as id,
    clock_timestamp()::timestamptz(3) as created_at
  from (
    select ord, chat_id, sender_id, sender_name, kind, content, client_message_id, extras, mentions,
      refusal, slow_for, known_seq, known_id, known_at, rules_version, slow_mode_seconds, seen_seq, if_seq,
      k, n, counted, tallies, last_seqs[k] as last_seq, versions[k] as version, target as chosen_target,
      case
        when versions[k] = rules_version and (if_seq is null or (if_seq = last_seqs[k] and n = 1)) then target
      end as target
    from (select * from numbered order by ord) numbered cross join base
  ) current
), stored as (
  insert into messages (
    chat_id, seq, id, sender_id, kind, content, client_message_id, created_at, tally,
    reply_to, silent, custom, mentions, forwarded_from
  )
  select target, seq, id, sender_id, kind, content, client_message_id, created_at, tally,
    (extras->'replyTo')::bigint, coalesce((extras->'silent')::boolean, false), extras->'custom', mentions,
    (extras->'forwardedFrom')::bigint
  from placed where target is not null
  order by sender_id, client_message_id collate "C"
), named as (
  insert into mentions (user_id, chat_id, seq)
  select unnest(mentions), target, seq from placed where target is not null and mentions is not null
), counted as (
  update chats
  set last_seq = added.last_seq, last_message_at = added.last_message_at, last_message_id = added.last_message_id,
    tally = added.tally
  from (
    select target, max(seq) as last_seq, max(created_at) as last_message_at,
      max(id) as last_message_id, max(tally) as tally
    from placed where target is not null group by target
  ) added
  where chats.id = added.target
), sent as (${moveOwnPosition('own.seq', 'own.tally', 'own.created_at')}
  from (
    select target, sender_id, max(seq) as seq, max(tally) as tally, max(created_at) as created_at
    from placed where target is not null and kind = 'text' group by target, sender_id
  ) own
  where chat_members.chat_id = own.target and chat_members.user_id = own.sender_id
)
select sender_name, mentions, refusal, slow_for, target is null as repeated, chat_id,
  coalesce(known_seq, seq) as seq, coalesce(known_id, id) as id, coalesce(known_at, created_at) as created_at,
  case when target is not null and kind = 'text' and slow_mode_seconds = 0 then rules_version end as permit,
  case when ord = 1 then pg_postmaster_start_time()::text end as run
from placed
order by ord
`;
