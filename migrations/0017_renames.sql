-- The transaction of the last change of the username, of a deletion as well; null for never: `sync` asks for it. Set by
-- a trigger, so that it holds whoever changes the name: a node of an older version, or an operator by hand.
alter table users add name_xid xid8;

create function note_renaming() returns trigger
  language plpgsql
  as $$
begin
  new.name_xid := pg_current_xact_id();
  return new;
end
$$;
create trigger users_renamed before update of username on users
  for each row when (old.username::text is distinct from new.username::text)
  execute function note_renaming();

-- concurrently
create index concurrently users_renamed on users (name_xid, id) where name_xid is not null;
