drop index message_search_terms;
