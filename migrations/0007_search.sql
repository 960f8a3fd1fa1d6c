create extension if not exists btree_gin;

create text search configuration parley (copy = english);
alter text search configuration parley
  alter mapping for hword, hword_part, word with unaccent, english_stem;

-- What is looked for in messages, kept beside them and filled a moment after the commit: a GIN index on the
-- messages themselves would cost the send path more than everything else in it.
create table message_search (
  message_id bigint   primary key,
  chat_id    bigint   not null,
  seq        bigint   not null,
  document   tsvector not null,
  folded     text     not null
);
-- With the chat in the index, a search meets only words of the caller's chats.
create index message_search_words on message_search using gin (chat_id, document);
create index message_search_parts on message_search using gin (chat_id, folded gin_trgm_ops);

-- How far the index is: every message up to settled_id is in it. noted_id was the newest id when the
-- transactions before noted_xmax were the only ones that could still be writing older ones.
create table message_search_progress (
  only_row   boolean primary key default true check (only_row),
  settled_id bigint  not null,
  noted_id   bigint  not null,
  noted_xmax xid8    not null
);
insert into message_search_progress (settled_id, noted_id, noted_xmax) values (0, 0, pg_current_xact_id());
