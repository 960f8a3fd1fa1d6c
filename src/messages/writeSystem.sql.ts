/**
 * Stores the system message of a change in its transaction, which has locked the chat. Increments the version of the
 * rules, which include the members; a closed group has no members, and `changed_xid` is the transaction that closed it.
 * Uses primary keys only.
 *
 * Parameters: $1 chat, $2 sender, $3 content, $4 custom, $5 client message id or null, $6 change of the number of
 * members, $7 true if it closes the group. Returns a row with id, seq and time.
 */
export const writeSystem = `
with fresh as materialized (
  select nextval('messages_id_seq') as id, clock_timestamp()::timestamptz(3) as created_at
), raised as (
  update chats
  set last_seq = last_seq + 1, last_message_at = fresh.created_at, last_message_id = fresh.id,
    rules_version = rules_version + 1, member_count = case when $7::boolean then 0 else member_count + $6::int end,
    closed_at = case when $7 then fresh.created_at end,
    changed_xid = case when $7 then pg_current_xact_id() else changed_xid end
  from fresh
  where chats.id = $1::bigint
  returning last_seq, tally, fresh.id, fresh.created_at
)
insert into messages (chat_id, seq, id, sender_id, kind, content, client_message_id, created_at, tally, custom)
select $1, last_seq, id, $2::bigint, 'system', $3::text, $5::text, created_at, tally, $4::jsonb from raised
returning id, seq, created_at as "createdAt"
`;
