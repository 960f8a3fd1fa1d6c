alter table messages
  add silent         boolean not null default false,
  add custom         jsonb,
  -- users named in the content with @
  add mentions       bigint[],
  -- who wrote it first
  add forwarded_from bigint,
  -- how often each emoji stands in the table reactions, such as {"👍": 2}
  add reactions      jsonb,
  -- chats.tally up to and with this message
  add tally          bigint  not null default 0,
  add xid            xid8    not null default pg_current_xact_id(),
  -- of the last change after it was written
  add changed_xid    xid8;

create table mentions (
  user_id bigint not null,
  chat_id bigint not null,
  seq     bigint not null,
  primary key (user_id, chat_id, seq)
);

create table message_edits (
  message_id bigint         not null,
  version    integer        not null,
  content    text           not null,
  -- when this version was written
  created_at timestamptz(3) not null,
  primary key (message_id, version)
);

create table reactions (
  chat_id    bigint         not null,
  seq        bigint         not null,
  user_id    bigint         not null references users (id),
  emoji      text           not null,
  created_at timestamptz(3) not null default clock_timestamp(),
  primary key (chat_id, seq, user_id, emoji)
);

create table pins (
  chat_id    bigint         not null,
  seq        bigint         not null,
  pinned_by  bigint         not null references users (id),
  pinned_at  timestamptz(3) not null default clock_timestamp(),
  primary key (chat_id, seq)
);

create table reports (
  id          bigint generated always as identity primary key,
  message_id  bigint         not null,
  reporter_id bigint         not null references users (id),
  reason      text           not null,
  -- the message as it was, whatever becomes of it
  content     text           not null,
  created_at  timestamptz(3) not null default clock_timestamp(),
  unique (message_id, reporter_id)
);

-- in slices of 10000 by messages (chat_id, seq)
-- The slice before may have ended in the middle of a chat: with its message $2.
update messages set tally = counted.tally
from (
  select chat_id, seq,
    count(*) filter (where kind = 'text') over (partition by chat_id order by seq) + case
      when chat_id = $1 then coalesce((select tally from messages where chat_id = $1 and seq = $2), 0)
      else 0
    end as tally
  from messages
  where (chat_id, seq) > ($1, $2) and (chat_id, seq) <= ($3, $4)
) counted
where messages.chat_id = counted.chat_id and messages.seq = counted.seq;

-- in slices of 5000 by chats (id)
update chats set tally = messages.tally
from messages
where messages.chat_id = chats.id and messages.seq = chats.last_seq and chats.id > $1 and chats.id <= $2;

-- in slices of 5000 by chat_members (chat_id, user_id)
-- Nobody has said yet what they have read: everything, then.
update chat_members set read_seq = chats.last_seq, delivered_seq = chats.last_seq, read_tally = chats.tally
from chats
where chats.id = chat_members.chat_id
  and (chat_members.chat_id, user_id) > ($1, $2) and (chat_members.chat_id, user_id) <= ($3, $4);

-- concurrently
-- All partial: the usual message touches none of them.
create index concurrently messages_replies on messages (reply_to, seq) where reply_to is not null;
create index concurrently messages_changed on messages (chat_id, changed_xid) where changed_xid is not null;
create index concurrently messages_deleted on messages (chat_id, seq) where deleted_at is not null;
create index concurrently messages_custom on messages using gin (custom jsonb_path_ops) where custom is not null;
