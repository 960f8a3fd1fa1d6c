-- API keys of service connections. A revoked key stays, so that operators see when it was used.
create table service_keys (
  id           bigint generated always as identity primary key,
  name         text not null,
  scopes       text[] not null,
  -- SHA-256 of the secret part: it is random, so a slow hash would protect nothing
  secret_hash  bytea not null check (length(secret_hash) = 32),
  created_at   timestamptz(3) not null default clock_timestamp(),
  last_used_at timestamptz(3),
  revoked_at   timestamptz(3)
);

-- The user is a program.
alter table users add is_bot boolean not null default false;

drop trigger users_profile_counted on users;
create trigger users_profile_counted before update of username, display_name, about, avatar, custom, is_bot on users
  for each row when (
    (old.username::text, old.display_name, old.about, old.avatar, old.custom, old.is_bot)
      is distinct from (new.username::text, new.display_name, new.about, new.avatar, new.custom, new.is_bot)
  )
  execute function count_profile_change();
