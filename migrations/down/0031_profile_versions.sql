drop trigger users_profile_counted on users;
drop function count_profile_change();
alter table users drop profile_version;
