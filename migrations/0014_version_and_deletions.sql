-- Which version of the schema this is, and the least that a node has to know to work with it: see migrations.ts.
create table schema_version (
  only_row       boolean primary key default true check (only_row),
  version        integer not null,
  compat_version integer not null
);

-- Accounts whose deletion is not done yet: any node finishes it. No foreign key: it would lock users, whose rows are
-- never deleted.
create table deletions (
  user_id    bigint         primary key,
  created_at timestamptz(3) not null default clock_timestamp()
);
-- Deletions of older versions left groups behind where a removal came between, and sessions with their addresses.
insert into deletions (user_id)
select id from users
where deleted_at is not null and (
  exists (select from sessions where user_id = users.id)
  or exists (
    select from chat_members member join chats on chats.id = member.chat_id and chats.kind = 'group'
    where member.user_id = users.id and chats.closed_at is null
  )
);
