drop trigger users_unfolded on users;
drop trigger chats_unfolded on chats;
drop function unfold_user(), unfold_group();
drop index users_ambiguous, users_unfolded, chats_ambiguous, chats_unfolded;
drop index users_by_username, users_by_display_name, chats_public_name, chats_public_search;
alter table users
  drop email_folded, drop username_folded, drop username_search, drop display_name_search,
  alter email type citext,
  alter username type citext;
alter table chats drop name_folded, drop name_search;

-- All entries are made anew, with the configuration parley.
alter table message_search drop fold;
alter table message_search_progress drop refolded_id;
truncate message_search;
update message_search_progress set settled_id = 0;
drop text search configuration folded_english;

-- concurrently
create index concurrently users_by_username on users (folded(username::text) text_pattern_ops);
create index concurrently users_by_display_name on users (folded(display_name) text_pattern_ops);
create unique index concurrently chats_public_name on chats (lower(name))
  where kind = 'group' and not is_private and closed_at is null;
create index concurrently chats_public_search on chats using gin (folded(name) gin_trgm_ops)
  where kind = 'group' and not is_private and closed_at is null;
