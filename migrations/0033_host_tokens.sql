-- Accounts of the users of a host, who connect with the tokens of the host: they have no password, and an email only if the
-- host has verified it.
alter table users
  -- the user at the host; a deleted account keeps it, so that no token brings it back
  add external_id     text,
  -- of the claims that fill the profile, those that were seen last, and the time at which their token was issued
  add host_claims     jsonb,
  -- the time at which token_version was raised: tokens of the host do not contain the version
  add tokens_ended_at timestamptz(3),
  drop constraint users_complete_or_deleted,
  add constraint users_complete_or_deleted check (
    deleted_at is not null or (
      username is not null and (external_id is not null or (email is not null and password_hash is not null))
    )
  ) not valid;

-- By a trigger, so that it holds whoever revokes the tokens: a node of an older version, or an operator by hand.
create function note_end_of_tokens() returns trigger
  language plpgsql
  as $$
begin
  new.tokens_ended_at := clock_timestamp();
  return new;
end
$$;
create trigger users_tokens_ended before update of token_version on users
  for each row when (new.token_version > old.token_version)
  execute function note_end_of_tokens();

-- concurrently
create unique index concurrently if not exists users_external_id on users (external_id)
  where external_id is not null;

-- in one transaction
alter table users validate constraint users_complete_or_deleted;
