import { moveOwnPosition } from './ownPosition.sql.ts';

/**
 * An SQL condition, valid under the lock of a chat: its rules have not changed since its senders were found to be
 * allowed to write.
 */
const isCurrent = 'chats.rules_version = input.rules_version';

/**
 * Stores a batch of plain messages: texts without extras and mentions, in chats where their senders may write under a
 * known version of the rules (see Permits.ts). The result is that of {@link writeBatch} in half of the time: it reads
 * only names, has a third of the plan nodes, and visits each chat once.
 *
 * Parameters are arrays. For the chats, in the order of their ids, so that two nodes never deadlock: $1 id, $2
 * rules_version, $3 number of messages, $4 number of its last message in the batch. Added to the newest assigned id,
 * that is approximately the id of that message, for last_message_id, which need not be unique among nodes. For the
 * messages, in the order of arrival: $5 index of the chat in $1, $6 number within the chat, $7 sender, $8 content, $9
 * client message id or null. For the pairs of a chat and a sender: $10 index of the chat, $11 sender, $12 number of the
 * last message, $13 receiver or null. $14 is the run of the database in which the versions were read.
 *
 * 1. `repeated` contains the chats with a message that was stored before, by its client message id; `people` contains
 *    the names of the senders, and the chats with a deleted account.
 * 2. `raised` locks each chat and adds its messages to its counters. If its rules have changed, or it is one of the
 *    chats above, it stays unchanged and nothing of it is stored. All chats are returned in either case, so that they
 *    are found by index: a join would be quadratic in the batch.
 * 3. `placed` assigns `seq` and id, `stored` inserts in the order of the client message ids, so that two nodes with the
 *    same ids for different chats never deadlock, `sent` moves the senders' own positions.
 *
 * Returns one row: for the chats the `seq` before the batch, whether their messages were stored, and the time; the ids
 * of the stored messages in the order of arrival; the usernames of the pairs.
 */
export const writePlain = `
with repeated as materialized (
  select array_agg(k) as ks
  from unnest($5::bigint[], $7::bigint[], $9::text[]) as draft (k, sender_id, client_message_id)
  cross join lateral (
    select from messages
    where sender_id = draft.sender_id and client_message_id = draft.client_message_id limit 1
  ) message
  where client_message_id is not null
), people as materialized (
  select array_agg(sender.username order by nth) as names,
    array_agg(k) filter (where sender.username is null or (receiver_id is not null and receiver.id is null)) as ks
  from unnest($10::bigint[], $11::bigint[], $13::bigint[]) with ordinality as pair (k, sender_id, receiver_id, nth)
  left join lateral (select username from users where id = sender_id limit 1) sender on true
  left join lateral (select id from users where id = receiver_id and deleted_at is null limit 1) receiver on true
), input as materialized (
  select k, chat_id, n, coalesce(pg_sequence_last_value('messages_id_seq'), 0) + rank as newest_id,
    case
      when pg_postmaster_start_time() = $14::timestamptz
        and (repeated.ks @> array[k]) is not true and (people.ks @> array[k]) is not true then rules_version
    end as rules_version
  from repeated cross join people
  cross join unnest($1::bigint[], $2::bigint[], $3::int[], $4::int[])
    with ordinality as input (chat_id, rules_version, n, rank, k)
), raised as (
  update chats
  set last_seq = last_seq + case when ${isCurrent} then n else 0 end,
    tally = tally + case when ${isCurrent} then n else 0 end,
    last_message_at = case when ${isCurrent} then clock_timestamp() else last_message_at end,
    last_message_id = case when ${isCurrent} then newest_id else last_message_id end
  from input
  where chats.id = input.chat_id
  returning k, last_seq - n as last_seq, tally - n as tally, last_message_at,
    coalesce(${isCurrent}, false) as is_current
), base as materialized (
  select array_agg(last_seq order by k) as seqs, array_agg(tally order by k) as tallies,
    array_agg(last_message_at order by k) as times, array_agg(is_current order by k) as current
  from raised
), placed as materialized (
  select k, sender_id, content, client_message_id, seqs[k] + nth as seq, tallies[k] + nth as tally,
    times[k] as created_at, nextval('messages_id_seq') as id
  from unnest($5::int[], $6::int[], $7::bigint[], $8::text[], $9::text[])
    as draft (k, nth, sender_id, content, client_message_id)
  cross join base
  where current[k]
), stored as (
  insert into messages (chat_id, seq, id, sender_id, kind, content, client_message_id, created_at, tally)
  select ($1::bigint[])[k], seq, id, sender_id, 'text', content, client_message_id, created_at, tally from placed
  order by sender_id, client_message_id collate "C"
), sent as (${moveOwnPosition('seqs[k] + nth', 'tallies[k] + nth', 'times[k]')}
  from unnest($10::int[], $11::bigint[], $12::int[]) as own (k, user_id, nth) cross join base
  where chat_members.chat_id = ($1::bigint[])[k] and chat_members.user_id = own.user_id and current[k]
)
select json_build_object(
  'seqs', seqs, 'current', current, 'times', times,
  'ids', (select array_agg(id order by id) from placed),
  'names', (select names from people)
) as answer
from base
`;

/**
 * Stores a single plain message in two thirds of the time of {@link writePlain}, most of which is spent on plan nodes
 * that a single message does not need. On an idle server that is most of the latency.
 *
 * Parameters: $1 chat, $2 rules_version, $3 sender, $4 content, $5 client message id or null, $6 run of the database,
 * $7 receiver or null. Returns a row with id, seq, the time in seconds since the epoch, and the username; no row if the
 * permission must be checked again.
 */
export const writeOne = `
with raised as (
  update chats
  set last_seq = last_seq + 1, tally = tally + 1, last_message_at = clock_timestamp(),
    last_message_id = coalesce(pg_sequence_last_value('messages_id_seq'), 0) + 1
  from users sender
  where chats.id = $1::bigint and rules_version = $2::bigint and pg_postmaster_start_time() = $6::timestamptz
    and sender.id = $3::bigint and sender.username is not null
    and not exists (select from messages where sender_id = $3 and client_message_id = $5::text)
    and ($7::bigint is null or exists (select from users where id = $7 and deleted_at is null))
  returning last_seq, tally, last_message_at, username
), stored as (
  insert into messages (chat_id, seq, sender_id, kind, content, client_message_id, created_at, tally)
  select $1, last_seq, $3, 'text', $4::text, $5, last_message_at, tally from raised
  returning id
), sent as (${moveOwnPosition('last_seq', 'tally', 'last_message_at')}
  from raised
  where chat_id = $1 and user_id = $3
)
select id, last_seq, date_part('epoch', last_message_at), username from stored cross join raised
`;
