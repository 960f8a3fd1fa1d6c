-- What up to 32 messages of a chat have together, next to each other in the order of their ids: words, parts of words, who
-- wrote them (src/text/bloomFilter.ts). A search reads the filters of a person's chats and of the messages only those that may
-- be found, the newest first, so that it takes what these chats have and not what all others have. The last filter of a
-- chat has room for more. Servers make them in the background.
create table message_search_filters (
  chat_id  bigint,
  first_id bigint,
  last_id  bigint    not null,
  last_seq bigint    not null,
  messages smallint  not null,
  parts    bit(8192) not null,
  primary key (chat_id, first_id)
) with (fillfactor = 85);
-- What changes of a filter has no index: with room in the page, that stays a HOT update.

-- All messages up to it have their filter. The segments of before (0020) are made by older servers only.
alter table message_search_progress add filtered_id bigint not null default 0;

-- A change is merged into its filter, and is noted no more then, unless it was changed again.
create or replace function note_changed_entry() returns trigger
  language plpgsql
  as $$
begin
  insert into message_search_changed as noted (chat_id, seq) values (new.chat_id, new.seq)
  on conflict (chat_id, seq) do update set seq = noted.seq;
  return null;
end
$$;
