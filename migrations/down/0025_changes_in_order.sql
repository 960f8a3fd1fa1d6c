create index chat_members_user on chat_members (user_id);
create index chat_members_changed on chat_members (chat_id, membership_xid);
create index former_members_changed on former_members (chat_id, xid);
create index former_members_user on former_members (user_id);
create index messages_changed on messages (chat_id, changed_xid) where changed_xid is not null;
alter table former_members drop constraint former_members_pkey, add primary key (chat_id, user_id);
drop index chat_members_of_user, chat_members_changes, former_members_changes, former_members_of_user, messages_changes;
