-- concurrently
create index concurrently if not exists message_search_words on message_search using gin (document) with (gin_pending_list_limit = 16384);
create index concurrently if not exists message_search_chats on message_search ((-chat_id));
drop index concurrently if exists message_search_chat;
