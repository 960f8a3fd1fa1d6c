/**
 * Stores a batch of messages: one statement, one round trip, one commit.
 *
 * Parameters are arrays of equal length, a draft per position: chat ids, sender ids, receiver ids (null for a
 * group), kinds, contents, client message ids (null where the sender gave none).
 *
 * 1. `draft` numbers the drafts in arrival order.
 * 2. `judged` looks up what decides on each. The lateral look-ups with a limit keep PostgreSQL on the indexes
 *    whatever its statistics say.
 * 3. `chosen` names the `target` chat of those to store; of repeats inside the batch that is the first.
 * 4. `base` locks the targets in id order, so that two nodes never deadlock, and reads the newest `last_seq`
 *    under the lock. `numbered` counts the targets in the same order (`k`), which finds a chat's `last_seq`
 *    by position: a join of the two would be quadratic in the batch.
 * 5. `placed` gives each message its `seq`, in arrival order; `stored` inserts, `counted` updates the chats.
 *
 * Returns a row per draft in arrival order: where it is stored (seq, id, created_at), `repeated` when an
 * earlier message answers for it, the sender's name, or the code of the `refusal`.
 */
export const writeBatch = `
with draft as (
  select *
  from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[])
    with ordinality as draft (chat_id, sender_id, receiver_id, kind, content, client_message_id, ord)
), judged as (
  select draft.*, sender.username as sender_name,
    known.seq as known_seq, known.id as known_id, known.created_at as known_at,
    case
      when known.id is not null then case when known.chat_id is distinct from draft.chat_id then 'CONFLICT' end
      when chat.id is null or (draft.receiver_id is not null and receiver.id is null) then 'NOT_FOUND'
      when member.user_id is null or sender.username is null then 'NOT_A_MEMBER'
    end as refusal
  from draft
  left join lateral (
    select id from chats
    where id = draft.chat_id and (kind = 'dialog') = (draft.receiver_id is not null) limit 1
  ) chat on true
  left join lateral (
    select user_id from chat_members where chat_id = draft.chat_id and user_id = draft.sender_id limit 1
  ) member on true
  left join lateral (select username from users where id = draft.sender_id limit 1) sender on true
  left join lateral (
    select id from users where id = draft.receiver_id and deleted_at is null limit 1
  ) receiver on true
  left join lateral (
    select chat_id, seq, id, created_at from messages
    where sender_id = draft.sender_id and client_message_id = draft.client_message_id limit 1
  ) known on true
), chosen as materialized (
  select *,
    case
      when refusal is null and known_id is null and (client_message_id is null or row_number() over once = 1)
      then chat_id
    end as target
  from judged
  window once as (partition by sender_id, client_message_id order by refusal is not null, ord)
), base as (
  select array_agg(chat.last_seq order by target) as last_seqs
  from (select distinct target from chosen where target is not null order by target) targets
  cross join lateral (select last_seq from chats where id = target for no key update) chat
), numbered as (
  select *,
    dense_rank() over (order by target) as k,
    row_number() over (partition by target order by ord) as n
  from chosen
), placed as materialized (
  select ord, chat_id, target, sender_id, sender_name, kind, content, client_message_id, refusal, known_seq, known_id, known_at,
    case when target is not null then last_seqs[k] + n end as seq,
    case when target is not null then nextval('messages_id_seq') end as id,
    clock_timestamp()::timestamptz(3) as created_at
  from (select * from numbered order by ord) numbered cross join base
), stored as (
  insert into messages (chat_id, seq, id, sender_id, kind, content, client_message_id, created_at)
  select target, seq, id, sender_id, kind, content, client_message_id, created_at
  from placed where target is not null
), counted as (
  update chats
  set last_seq = added.last_seq, last_message_at = added.last_message_at
  from (
    select target, max(seq) as last_seq, max(created_at) as last_message_at
    from placed where target is not null group by target
  ) added
  where chats.id = added.target
)
select sender_name, target is null as repeated,
  coalesce(refusal, case when seq is null and known_id is null and first_value(chat_id) over once <> chat_id then 'CONFLICT' end) as refusal,
  coalesce(known_seq, seq, first_value(seq) over once) as seq,
  coalesce(known_id, id, first_value(id) over once) as id,
  case
    when known_id is not null then known_at
    when id is not null then created_at
    else first_value(created_at) over once
  end as created_at
from placed
window once as (partition by sender_id, client_message_id order by refusal is not null, ord)
order by ord
`;
