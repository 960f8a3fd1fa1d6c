-- rules_version counts, beside what 0010 says, blocks between the two people of a dialog: while it is the same, the same
-- members may write in a chat without slow mode, but for those whose account was deleted. By a trigger, because it has to hold
-- whoever makes the change, older servers as well.
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
