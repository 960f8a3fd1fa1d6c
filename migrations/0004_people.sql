create extension if not exists unaccent;

-- How texts are compared when somebody looks for them: without case and accents. The fixed search_path keeps
-- the function immutable in fact, wherever it is called from.
create function folded(text) returns text
  immutable strict parallel safe
  language sql
  set search_path from current
  as $$ select lower(unaccent('unaccent', $1)) $$;

alter table users
  add display_name text,
  add about        text,
  add avatar       text,
  add custom       jsonb,
  add is_invisible boolean not null default false,
  -- when the last connection ended, or the user became invisible
  add last_seen_at timestamptz(3);

create table blocks (
  user_id    bigint         not null references users (id),
  blocked_id bigint         not null references users (id) check (blocked_id <> user_id),
  created_at timestamptz(3) not null default clock_timestamp(),
  primary key (user_id, blocked_id)
);
create index blocks_of_blocked on blocks (blocked_id, user_id);

-- concurrently
-- Not "where deleted_at is null": planned on an empty table, the batch statement would scan such an index.
create index concurrently users_by_username on users (folded(username::text) text_pattern_ops);
create index concurrently users_by_display_name on users (folded(display_name) text_pattern_ops);
create index concurrently users_custom on users using gin (custom jsonb_path_ops) where custom is not null;
