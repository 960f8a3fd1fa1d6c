-- The accounts stay, with an email and a hash that let nobody log in.
update users
set email = coalesce(email, 'user-' || id || '@host.invalid'), password_hash = coalesce(password_hash, '!')
where external_id is not null and deleted_at is null;

drop trigger users_tokens_ended on users;
drop function note_end_of_tokens();
alter table users
  drop constraint users_complete_or_deleted,
  add constraint users_complete_or_deleted check (
    deleted_at is not null or (email is not null and username is not null and password_hash is not null)
  ),
  drop external_id,
  drop host_claims,
  drop tokens_ended_at;
