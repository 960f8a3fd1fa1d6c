-- The number of changes of a profile, the deletion of the account included: of two pushes the higher one is newer. Counted
-- by a trigger, so that it holds whoever changes the profile: a node of an older version, or an operator by hand.
alter table users add profile_version integer not null default 0;

create function count_profile_change() returns trigger
  language plpgsql
  as $$
begin
  new.profile_version := old.profile_version + 1;
  return new;
end
$$;
create trigger users_profile_counted before update of username, display_name, about, avatar, custom on users
  for each row when (
    (old.username::text, old.display_name, old.about, old.avatar, old.custom)
      is distinct from (new.username::text, new.display_name, new.about, new.avatar, new.custom)
  )
  execute function count_profile_change();
