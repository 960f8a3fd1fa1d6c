-- Parts of words are no longer found by an index with forty keys for each message, but by which parts 64 messages of a
-- chat have together (src/text/bloomFilter.ts): the segment n has its seqs from 64 n on, those up to the last one of a chat
-- have all their messages indexed. Servers make them in the background; older ones search without.
drop index message_search_parts;
create table message_search_segments (
  chat_id bigint,
  segment bigint,
  parts   bit(4096) not null,
  primary key (chat_id, segment)
);

-- Entries of chats are found by an index of their own, below. GIN scans an index once for each chat, and each time all
-- that waits to be merged into it (gin_pending_list_limit): hundreds of milliseconds for a person in hundreds of chats. It
-- has chats, too, and is only asked for words now: -chat_id is not in it. So more may wait, which saves a third of the
-- log.
alter index message_search_words set (gin_pending_list_limit = 16384);

-- Messages whose entry was changed, of which the segments do not know, whichever server changed it. The indexer itself
-- changes entries before it makes segments of them, and says so.
create table message_search_changed (
  chat_id bigint,
  seq     bigint,
  primary key (chat_id, seq)
);
create function note_changed_entry() returns trigger
  language plpgsql
  as $$
begin
  insert into message_search_changed (chat_id, seq) values (new.chat_id, new.seq) on conflict do nothing;
  return null;
end
$$;
create trigger message_search_changed after update on message_search
  for each row when (current_setting('parley.renews_entries', true) is distinct from 'on')
  execute function note_changed_entry();

-- See src/messages/searchIndex.sql.ts.
alter table message_search_progress
  add noted_settled_id bigint not null default 0,
  add checked_id       bigint not null default 0,
  add segmented_id     bigint not null default 0;
-- Older servers remove themselves what was deleted while it was indexed.
update message_search_progress set noted_settled_id = settled_id, checked_id = settled_id;

-- concurrently
create index concurrently message_search_chats on message_search ((-chat_id));
