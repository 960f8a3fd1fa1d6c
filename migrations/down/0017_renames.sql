drop trigger users_renamed on users;
drop function note_renaming();
alter table users drop name_xid;
