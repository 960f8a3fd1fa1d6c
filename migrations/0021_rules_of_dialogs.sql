-- rules_version counts, beside what 0010 says, blocks between the two people of a dialog: who may write in a chat without
-- slow mode may do so for as long as the version is the same, but for accounts that were deleted. By a trigger, because it has
-- to hold whoever blocks, older servers as well. Of a dialog that is made at the same time as a block it does not know:
-- blockUser raises its version itself once the block is committed.
create function raise_rules_of_dialog() returns trigger
  language plpgsql
  as $$
begin
  update chats set rules_version = rules_version + 1
  where user_low = least(new.user_id, new.blocked_id) and user_high = greatest(new.user_id, new.blocked_id);
  return null;
end
$$;
-- Not when a block ends: then nobody may write less. Many end at once with an account, in any order, and would lock the
-- dialogs in it.
create trigger blocks_raise_rules after insert on blocks
  for each row execute function raise_rules_of_dialog();
