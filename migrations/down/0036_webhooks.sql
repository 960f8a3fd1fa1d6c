delete from event_consumers where name like 'webhook:%';
drop table webhooks;
