-- Raised by every change of a group's members, roles and rules: a message that was judged by older ones is judged
-- again when it gets its turn.
alter table chats add rules_version bigint not null default 0;
