-- compatible from: 0016

-- Names in the form in which they are compared, see src/text/fold.ts: what is the same is no longer said by the locale
-- of the database. Servers fill what is null, before they listen and while they run (src/database/foldedNames.ts).
-- Older servers that still run write rows without it, and find only names spelled exactly.
drop index users_by_username, users_by_display_name, chats_public_name, chats_public_search;
-- The unique indexes are made anew below: with the change of the type, users would be locked meanwhile.
alter table users
  drop constraint users_email_key,
  drop constraint users_username_key,
  alter email type text,
  alter username type text,
  -- of the second account with the same name, from before: with its id behind a U+0001
  add email_folded        text,
  add username_folded     text,
  add username_search     text,
  add display_name_search text;
alter table chats
  add name_folded text,
  add name_search text;

-- What changes a name and cannot fold it, an older server or an operator, leaves it to be folded anew. Servers that can
-- say so: src/database/settings.ts.
create function unfold_user() returns trigger
  language plpgsql
  as $$
begin
  if new.username is distinct from old.username or new.email is distinct from old.email then
    new.username_folded := null;
    new.username_search := null;
    new.email_folded := null;
  end if;
  if new.display_name is distinct from old.display_name then
    new.display_name_search := null;
  end if;
  return new;
end
$$;
create trigger users_unfolded before update of username, email, display_name on users
  for each row when (current_setting('parley.folds_names', true) is distinct from 'on')
  execute function unfold_user();

create function unfold_group() returns trigger
  language plpgsql
  as $$
begin
  new.name_folded := null;
  new.name_search := null;
  return new;
end
$$;
create trigger chats_unfolded before update of name on chats
  for each row when (
    old.name is distinct from new.name and current_setting('parley.folds_names', true) is distinct from 'on'
  )
  execute function unfold_group();

-- Of texts that are folded already: no dictionary meets an accent or an upper case letter.
create text search configuration folded_english (copy = pg_catalog.english);
-- By which version of the fold an entry was made; null for those of older servers, which are made anew up to refolded_id.
alter table message_search add fold smallint;
alter table message_search_progress add refolded_id bigint not null default 0;

-- The function folded, the configuration parley, and the extensions citext and unaccent are used by older servers only.

-- concurrently
create unique index concurrently users_email_key on users (email);
create unique index concurrently users_username_key on users (username);
create unique index concurrently users_email_folded on users (email_folded);
create unique index concurrently users_username_folded on users (username_folded);
create index concurrently users_by_username on users (username_search text_pattern_ops);
create index concurrently users_by_display_name on users (display_name_search text_pattern_ops);
create index concurrently users_unfolded on users (id)
  where (username is not null and username_folded is null)
    or (display_name is not null and display_name_search is null);
create index concurrently users_ambiguous on users (id)
  where strpos(username_folded, chr(1)) > 0 or strpos(email_folded, chr(1)) > 0;

create unique index concurrently chats_public_name on chats (name_folded)
  where kind = 'group' and not is_private and closed_at is null;
create index concurrently chats_public_search on chats using gin (name_search gin_trgm_ops)
  where kind = 'group' and not is_private and closed_at is null;
create index concurrently chats_unfolded on chats (id) where name is not null and name_folded is null;
create index concurrently chats_ambiguous on chats (id) where strpos(name_folded, chr(1)) > 0;

-- in one transaction
alter table users
  add constraint users_email_key unique using index users_email_key,
  add constraint users_username_key unique using index users_username_key;
