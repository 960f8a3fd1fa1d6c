alter table chat_members drop shown_read_seq, drop shown_delivered_seq, drop shown_xid;
