alter table chats drop rules_version;
