-- The index for words without chats, which nothing asks it for since message_search_chats (0020) has them: a key less for
-- each message, and shorter ones. The old one goes last: until then, searches wait for nothing.
create index message_search_terms on message_search using gin (document) with (gin_pending_list_limit = 16384);
drop index message_search_words;
alter index message_search_terms rename to message_search_words;
