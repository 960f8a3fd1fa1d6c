-- concurrently
-- See 0022.
drop index concurrently if exists message_search_words;

-- in one transaction
alter index message_search_terms rename to message_search_words;
