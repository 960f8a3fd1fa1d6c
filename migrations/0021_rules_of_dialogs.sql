-- rules_version counts, beside what 0010 says, blocks between the two people of a dialog, and the deletion of an account in
-- all its chats. So who may write in a chat without slow mode is the same for as long as the version is the same. By
-- triggers, because it has to hold whoever makes the change, older servers as well.
create function raise_rules_of_dialog() returns trigger
  language plpgsql
  as $$
declare
  block blocks := coalesce(new, old);
begin
  update chats set rules_version = rules_version + 1
  where user_low = least(block.user_id, block.blocked_id) and user_high = greatest(block.user_id, block.blocked_id);
  return null;
end
$$;
create trigger blocks_raise_rules after insert or delete on blocks
  for each row execute function raise_rules_of_dialog();

create function raise_rules_of_user() returns trigger
  language plpgsql
  as $$
begin
  -- in the order in which messages lock chats
  perform from chats where id in (select chat_id from chat_members where user_id = new.id) order by id for no key update;
  update chats set rules_version = rules_version + 1
  where id in (select chat_id from chat_members where user_id = new.id);
  return null;
end
$$;
create trigger users_raise_rules after update of deleted_at on users
  for each row when (old.deleted_at is distinct from new.deleted_at)
  execute function raise_rules_of_user();
