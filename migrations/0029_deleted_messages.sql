-- How many messages that count as unread were deleted in each stretch of 4,096 of a chat, for unread counts to add up: to
-- look at all that were deleted since a position takes as long as there are. Counted by a trigger, so that it holds whoever
-- deletes: a node of an older version, or an operator by hand.
create table deleted_messages (
  chat_id bigint  not null,
  -- seq / 4096
  part    bigint  not null,
  count   integer not null,
  primary key (chat_id, part)
) with (fillfactor = 50);

create function note_deletion() returns trigger
  language plpgsql
  as $$
begin
  insert into deleted_messages (chat_id, part, count) values (new.chat_id, new.seq >> 12, 1)
  on conflict (chat_id, part) do update set count = deleted_messages.count + 1;
  return null;
end
$$;
create trigger messages_deletion_noted after update of deleted_at on messages
  for each row when (
    old.deleted_at is null and new.deleted_at is not null and new.kind = 'text' and not new.silent
  )
  execute function note_deletion();

-- Counts what was deleted in a chat anew. Each stretch is locked before it is counted: a deletion that is under way is
-- waited for, or notes itself afterwards.
create function count_deleted_messages(chat bigint) returns void
  language plpgsql
  as $$
declare
  stretch bigint;
begin
  for stretch in
    select seq >> 12 from messages
    where chat_id = chat and deleted_at is not null and kind = 'text' and not silent
    union select part from deleted_messages where chat_id = chat
    order by 1
  loop
    insert into deleted_messages (chat_id, part, count) values (chat, stretch, 0) on conflict do nothing;
    perform from deleted_messages where chat_id = chat and part = stretch for update;
    update deleted_messages set count = (
      select count(*) from messages
      where chat_id = chat and seq >= stretch << 12 and seq < (stretch + 1) << 12
        and deleted_at is not null and kind = 'text' and not silent
    )
    where chat_id = chat and part = stretch;
  end loop;
end
$$;

-- concurrently
create index concurrently if not exists messages_deleted_unread on messages (chat_id, seq)
  where deleted_at is not null and kind = 'text' and not silent;
drop index concurrently if exists messages_deleted;

-- in slices of 1000 by chats (id)
select count_deleted_messages(id) from chats where id > $1 and id <= $2 and last_seq > 0;
