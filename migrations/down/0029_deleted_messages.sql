-- concurrently
create index concurrently if not exists messages_deleted on messages (chat_id, seq) where deleted_at is not null;
drop index concurrently if exists messages_deleted_unread;

-- in one transaction
drop trigger messages_deletion_noted on messages;
drop function note_deletion();
drop function count_deleted_messages(bigint);
drop table deleted_messages;
