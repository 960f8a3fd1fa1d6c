alter index message_search_words rename to message_search_terms;

-- concurrently
create index concurrently message_search_words on message_search
  using gin (chat_id, document) with (gin_pending_list_limit = 16384);
