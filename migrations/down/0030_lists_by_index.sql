-- concurrently
create index concurrently if not exists users_by_username on users (username_search text_pattern_ops);
create index concurrently if not exists users_by_display_name on users (display_name_search text_pattern_ops);
create index concurrently if not exists chat_members_user on chat_members (user_id);
drop index concurrently if exists chats_public;
drop index concurrently if exists users_by_username_in_order;
drop index concurrently if exists users_by_display_name_in_order;
drop index concurrently if exists ended_tokens_expired;
drop index concurrently if exists sessions_ended_of_user;
drop index concurrently if exists sessions_live;
drop index concurrently if exists chat_members_by_user;
drop index concurrently if exists chat_members_ranked;
