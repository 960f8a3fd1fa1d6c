create index message_search_terms on message_search using gin (chat_id, document) with (gin_pending_list_limit = 16384);
drop index message_search_words;
alter index message_search_terms rename to message_search_words;
