drop table chat_members;
drop table chats;
