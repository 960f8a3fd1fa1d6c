-- Since when an operator keeps somebody out.
alter table users add disabled_at timestamptz(3);

-- What an operator's command did, for the nodes to tell their connections: each looks every second.
create table notices (
  id         bigint generated always as identity primary key,
  topic      text           not null,
  message    jsonb          not null,
  created_at timestamptz(3) not null default clock_timestamp()
);
create index notices_created on notices (created_at);
