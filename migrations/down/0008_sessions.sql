drop table ended_tokens, sessions, nodes;
alter table users drop others_ended_at, drop kept_token_id;
