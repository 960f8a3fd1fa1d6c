drop trigger users_raise_rules on users;
drop trigger blocks_raise_rules on blocks;
drop function raise_rules_of_user(), raise_rules_of_dialog();
