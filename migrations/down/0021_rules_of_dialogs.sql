drop trigger blocks_raise_rules on blocks;
drop function raise_rules_of_dialog();
