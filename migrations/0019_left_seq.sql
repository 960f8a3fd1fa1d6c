-- The message with which a member left a group: who may only see later ones is told nothing of them. Null: they left
-- before this was kept.
alter table former_members add left_seq bigint;
