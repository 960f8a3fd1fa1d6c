drop table service_keys;

drop trigger users_profile_counted on users;
create trigger users_profile_counted before update of username, display_name, about, avatar, custom on users
  for each row when (
    (old.username::text, old.display_name, old.about, old.avatar, old.custom)
      is distinct from (new.username::text, new.display_name, new.about, new.avatar, new.custom)
  )
  execute function count_profile_change();
alter table users drop is_bot;
