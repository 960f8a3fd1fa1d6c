-- concurrently
create index concurrently if not exists chat_members_changed on chat_members (chat_id, membership_xid);
create index concurrently if not exists former_members_changed on former_members (chat_id, xid);
create index concurrently if not exists former_members_user on former_members (user_id);
create index concurrently if not exists messages_changed on messages (chat_id, changed_xid) where changed_xid is not null;
create unique index concurrently if not exists former_members_key on former_members (chat_id, user_id);

-- in one transaction
alter table former_members
  drop constraint if exists former_members_pkey,
  add constraint former_members_pkey primary key using index former_members_key;

-- concurrently
drop index concurrently if exists chat_members_changes;
drop index concurrently if exists former_members_changes;
drop index concurrently if exists former_members_of_user;
drop index concurrently if exists messages_changes;
