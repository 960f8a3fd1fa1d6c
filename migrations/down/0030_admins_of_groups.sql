-- concurrently
drop index concurrently if exists chat_members_admins;
