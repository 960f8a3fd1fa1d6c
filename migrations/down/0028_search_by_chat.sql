-- concurrently
drop index concurrently if exists message_search_words;
create index concurrently message_search_words on message_search using gin (document) with (gin_pending_list_limit = 16384);
drop index concurrently if exists message_search_chats;
create index concurrently message_search_chats on message_search ((-chat_id));
drop index concurrently if exists message_search_chat;
