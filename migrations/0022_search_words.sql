-- concurrently
-- The index for words without chats, which nothing asks it for since message_search_chats (0020) has them: a key less for
-- each message, and shorter ones. The one of before goes with 0024.
create index concurrently message_search_terms on message_search
  using gin (document) with (gin_pending_list_limit = 16384);
