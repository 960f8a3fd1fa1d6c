-- See 0022.
drop index message_search_words;
alter index message_search_terms rename to message_search_words;
