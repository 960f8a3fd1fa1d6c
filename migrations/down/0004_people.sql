drop table blocks;
drop index users_by_username, users_by_display_name;
alter table users
  drop display_name, drop about, drop avatar, drop custom, drop is_invisible, drop last_seen_at;
drop function folded;
