drop table message_search_progress, message_search;
drop text search configuration parley;
