alter table message_search_progress drop noted_settled_id, drop checked_id, drop segmented_id;
drop trigger message_search_changed on message_search;
drop function note_changed_entry();
drop table message_search_segments, message_search_changed;
drop index message_search_chats;
alter index message_search_words reset (gin_pending_list_limit);

-- concurrently
create index concurrently message_search_parts on message_search using gin (chat_id, folded gin_trgm_ops);
