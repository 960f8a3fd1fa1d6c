drop table invites, bans, former_members;
drop index chat_members_changed, chats_public_name, chats_public_search;
alter table chat_members
  drop first_seq, drop read_tally, drop marked_unread, drop last_sent_at, drop pinned_at, drop archived_at,
  drop membership_xid, drop state_xid, reset (fillfactor);
alter table chats
  drop description, drop custom, drop who_may_add, drop who_may_post, drop slow_mode_seconds, drop history_from,
  drop member_count, drop closed_at, drop changed_xid, drop last_message_id, drop tally;
