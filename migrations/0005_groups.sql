create extension if not exists pg_trgm;

-- Columns named xid hold the transaction of a row's last change: `sync` asks which of them were visible to the
-- snapshot it answered from before.
alter table chats
  add description       text,
  add custom            jsonb,
  add who_may_add       text    not null default 'members' check (who_may_add in ('members', 'admins')),
  add who_may_post      text    not null default 'members' check (who_may_post in ('members', 'admins')),
  add slow_mode_seconds integer not null default 0 check (slow_mode_seconds >= 0),
  add history_from      text    not null default 'beginning' check (history_from in ('beginning', 'joining')),
  add member_count      integer not null default 0,
  -- deleted, or left by everybody
  add closed_at         timestamptz(3),
  add changed_xid       xid8    not null default pg_current_xact_id(),
  -- id of the newest message: decides between chats of the same millisecond
  add last_message_id   bigint  not null default 0,
  -- messages so far that count as unread: neither system messages nor silent ones
  add tally             bigint  not null default 0;

alter table chat_members
  -- the oldest message this member may see
  add first_seq       bigint  not null default 1,
  -- chats.tally as it was at read_seq: what is unread is the difference
  add read_tally      bigint  not null default 0,
  add marked_unread   boolean not null default false,
  add last_sent_at    timestamptz(3),
  add pinned_at       timestamptz(3),
  add archived_at     timestamptz(3),
  -- of joining and of the role; state_xid: of everything else in the row, not indexed, so that reading is a HOT update
  add membership_xid  xid8    not null default pg_current_xact_id(),
  add state_xid       xid8    not null default pg_current_xact_id(),
  set (fillfactor = 70);

create table former_members (
  chat_id  bigint         not null references chats (id),
  user_id  bigint         not null references users (id),
  xid      xid8           not null default pg_current_xact_id(),
  left_at  timestamptz(3) not null default clock_timestamp(),
  primary key (chat_id, user_id)
);
create index former_members_user on former_members (user_id);

create table bans (
  chat_id    bigint         not null references chats (id),
  user_id    bigint         not null references users (id),
  banned_by  bigint         not null references users (id),
  reason     text,
  created_at timestamptz(3) not null default clock_timestamp(),
  primary key (chat_id, user_id)
);

create table invites (
  id               bigint generated always as identity primary key,
  chat_id          bigint         not null references chats (id),
  code             text           not null unique,
  created_by       bigint         not null references users (id),
  client_invite_id text,
  expires_at       timestamptz(3),
  max_uses         integer,
  uses             integer        not null default 0,
  revoked_at       timestamptz(3),
  created_at       timestamptz(3) not null default clock_timestamp(),
  unique (created_by, client_invite_id)
);
create index invites_chat on invites (chat_id, id);

-- in slices of 5000 by chats (id)
update chats set
  member_count = (select count(*) from chat_members where chat_id = chats.id),
  last_message_id = coalesce((select id from messages where chat_id = chats.id and seq = last_seq), 0)
where id > $1 and id <= $2;

-- concurrently
create unique index concurrently chats_public_name on chats (lower(name))
  where kind = 'group' and not is_private and closed_at is null;
create index concurrently chats_public_search on chats using gin (folded(name) gin_trgm_ops)
  where kind = 'group' and not is_private and closed_at is null;
create index concurrently chats_custom on chats using gin (custom jsonb_path_ops) where custom is not null;
create index concurrently chat_members_changed on chat_members (chat_id, membership_xid);
