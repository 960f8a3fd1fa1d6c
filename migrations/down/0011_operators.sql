drop table notices;
alter table users drop disabled_at;
