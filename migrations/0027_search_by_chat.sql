-- concurrently
-- The messages of a chat in the order of their ids, which the filters (0026) are about. The words are in the filters, too:
-- their index took most of what an entry took to write, and all entries of a common word had to be fetched to find the newest.
create index concurrently if not exists message_search_chat on message_search (chat_id, message_id);
drop index concurrently if exists message_search_chats;
drop index concurrently if exists message_search_words;
