-- Versions before this one take who is in chat_members for a member.
with gone as (
  delete from chat_members using closures where chat_members.chat_id = closures.chat_id
  returning chat_members.chat_id, user_id
)
insert into former_members (chat_id, user_id, xid, left_at, left_seq)
select gone.chat_id, user_id, chats.changed_xid, chats.closed_at, chats.last_seq
from gone join chats on chats.id = gone.chat_id
on conflict (chat_id, user_id) do update
set xid = excluded.xid, left_at = excluded.left_at, left_seq = excluded.left_seq;

drop table closures;
