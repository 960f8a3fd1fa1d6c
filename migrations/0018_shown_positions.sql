-- While one of the two people of a dialog has blocked the other: how far each is to the other's knowledge, and the
-- transaction that had changed it. Null: as read_seq, delivered_seq and state_xid say.
alter table chat_members
  add shown_read_seq      bigint,
  add shown_delivered_seq bigint,
  add shown_xid           xid8;

-- in slices of 2000 by blocks (user_id, blocked_id)
update chat_members member
set shown_read_seq = read_seq, shown_delivered_seq = delivered_seq, shown_xid = state_xid
from blocks
join chats on chats.user_low = least(blocks.user_id, blocks.blocked_id)
  and chats.user_high = greatest(blocks.user_id, blocks.blocked_id)
where member.chat_id = chats.id and shown_xid is null
  and (blocks.user_id, blocks.blocked_id) > ($1, $2) and (blocks.user_id, blocks.blocked_id) <= ($3, $4);
