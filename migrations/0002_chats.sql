create table chats (
  id              bigint generated always as identity primary key,
  kind            text           not null check (kind in ('dialog', 'group')),
  name            text,
  -- the two people of a dialog, the lower id first; the same id twice are the notes to oneself
  user_low        bigint references users (id),
  user_high       bigint references users (id),
  is_private      boolean        not null default true,
  created_by      bigint         not null references users (id),
  last_seq        bigint         not null default 0,
  last_message_at timestamptz(3) not null default clock_timestamp(),
  created_at      timestamptz(3) not null default clock_timestamp(),
  constraint chats_dialog_or_group check (
    case kind
      when 'dialog' then name is null and user_low is not null and user_high is not null and user_low <= user_high
      else name is not null and user_low is null and user_high is null
    end
  ),
  constraint chats_one_dialog_per_pair unique (user_low, user_high)
) with (fillfactor = 50);
-- last_seq and last_message_at change with every batch: without an index on them, and with room in the
-- page, that update stays a HOT update. Never index these two columns.

create table chat_members (
  chat_id       bigint         not null references chats (id),
  user_id       bigint         not null references users (id),
  role          text           not null default 'member' check (role in ('owner', 'admin', 'member')),
  read_seq      bigint         not null default 0,
  delivered_seq bigint         not null default 0,
  muted_until   timestamptz(3),
  joined_at     timestamptz(3) not null default clock_timestamp(),
  primary key (chat_id, user_id)
);
create index chat_members_user on chat_members (user_id);
