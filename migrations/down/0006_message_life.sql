drop table reports, pins, reactions, message_edits, mentions;
drop index messages_replies, messages_changed, messages_deleted;
alter table messages
  drop silent, drop custom, drop mentions, drop forwarded_from, drop reactions, drop tally, drop xid, drop changed_xid;
