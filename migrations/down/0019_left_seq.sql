alter table former_members drop left_seq;
