-- Each run of PostgreSQL, from its start to its end: system identifier, and when it started in microseconds. Every
-- transaction before settled_xid had ended when the row was written, so whoever finds the row knows that what these
-- transactions did was not lost by a restore or a failover.
create table database_runs (
  id          text           primary key,
  settled_xid xid8           not null,
  noted_at    timestamptz(3) not null default clock_timestamp()
);

-- The first message of an installation was passed over by the search index.
insert into message_search (message_id, chat_id, seq, document, folded)
select id, chat_id, seq, to_tsvector('parley', content), folded(content)
from messages where id = 1 and kind = 'text' and deleted_at is null
on conflict (message_id) do nothing;
