create extension if not exists citext;

create table users (
  id            bigint generated always as identity primary key,
  -- email, username and password_hash are emptied when the account is deleted, which frees the names
  email         citext unique,
  username      citext unique,
  password_hash text,
  -- in every token too: raising it revokes all tokens handed out before
  token_version integer        not null default 1,
  created_at    timestamptz(3) not null default clock_timestamp(),
  updated_at    timestamptz(3) not null default clock_timestamp(),
  deleted_at    timestamptz(3),
  constraint users_complete_or_deleted check (
    deleted_at is not null or (email is not null and username is not null and password_hash is not null)
  )
);
