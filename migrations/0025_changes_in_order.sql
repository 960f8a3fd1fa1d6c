-- concurrently

-- What `sync` goes on from: what changed in a chat in the order of the transactions, with the place of each, and who left.
-- Each replaces one with fewer columns.
create index concurrently if not exists chat_members_changes on chat_members (chat_id, membership_xid, user_id);
create index concurrently if not exists former_members_changes on former_members (chat_id, xid, user_id);
create index concurrently if not exists former_members_of_user on former_members (user_id, xid, chat_id);
create index concurrently if not exists messages_changes on messages (chat_id, changed_xid, seq) where changed_xid is not null;
-- The user first: who left a chat is then found by the index on transactions alone, whatever the statistics say.
create unique index concurrently if not exists former_members_key on former_members (user_id, chat_id);

-- in one transaction
alter table former_members
  drop constraint if exists former_members_pkey,
  add constraint former_members_pkey primary key using index former_members_key;

-- concurrently
drop index concurrently if exists chat_members_changed;
drop index concurrently if exists former_members_changed;
drop index concurrently if exists former_members_user;
drop index concurrently if exists messages_changed;
