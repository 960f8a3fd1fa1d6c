-- concurrently

-- The chats of a user, with what their list and a new connection need of a membership, which changes seldom: read from
-- the index alone.
create index concurrently if not exists chat_members_by_user on chat_members (user_id, chat_id)
  include (first_seq, archived_at);
drop index concurrently if exists chat_members_user;

-- The owner and admins of a group among its members.
create index concurrently if not exists chat_members_ranked on chat_members (chat_id, user_id) where role <> 'member';

-- Who is there: from the few sessions that are open, and the one that ended last.
create index concurrently if not exists sessions_live on sessions (user_id, id) where ended_at is null;
create index concurrently if not exists sessions_ended_of_user on sessions (user_id, ended_at) where ended_at is not null;
create index concurrently if not exists ended_tokens_expired on ended_tokens (expires_at);

-- People by the beginning of their names, in the order of the names.
create index concurrently if not exists users_by_username_in_order on users (username_search text_pattern_ops, id);
create index concurrently if not exists users_by_display_name_in_order on users (display_name_search text_pattern_ops, id);
drop index concurrently if exists users_by_username;
drop index concurrently if exists users_by_display_name;

-- Public groups, newest first.
create index concurrently if not exists chats_public on chats (id)
  where kind = 'group' and not is_private and closed_at is null;
