-- Events for the backend of an integrator: what has happened, one row for each change that no message shows. Messages,
-- system messages included, are events by themselves. The ids come from the sequence of the messages, so that both have one
-- order. No foreign keys: nothing that they name is deleted.
create table events (
  -- before the id: the transaction must have its number first, see src/events/window.ts
  xid        xid8           not null default pg_current_xact_id(),
  id         bigint         primary key default nextval('messages_id_seq'),
  type       text           not null,
  created_at timestamptz(3) not null default clock_timestamp(),
  chat_id    bigint,
  message_id bigint,
  -- the user of an event about a user; otherwise the one who did it, null for operators
  user_id    bigint,
  -- what the present state of the message or the user does not show
  data       jsonb          not null default '{}'
);

-- How far the consumers of events have acknowledged them, and which connection serves each.
create table event_consumers (
  name            text           primary key,
  cursor          jsonb          not null,
  acknowledged_at timestamptz(3) not null default clock_timestamp(),
  holder          text,
  lease_until     timestamptz(3)
);

-- Everything that a cursor of events of this run may have seen was visible to this snapshot.
alter table database_runs add event_snapshot pg_snapshot;

-- By triggers, so that they hold whoever makes the change: a node of an older version, or an operator by hand.
create function note_user_event() returns trigger
  language plpgsql
  as $$
begin
  if tg_op = 'INSERT' then
    insert into events (type, user_id) values ('userCreated', new.id);
    return null;
  end if;
  if new.deleted_at is not null then
    if old.deleted_at is null then
      insert into events (type, user_id) values ('userDeleted', new.id);
    end if;
    return null;
  end if;
  if new.profile_version > old.profile_version then
    insert into events (type, user_id) values ('userUpdated', new.id);
  end if;
  if (new.disabled_at is null) <> (old.disabled_at is null) then
    insert into events (type, user_id)
    values (case when new.disabled_at is null then 'userEnabled' else 'userDisabled' end, new.id);
  end if;
  return null;
end
$$;
create trigger users_created_event after insert on users
  for each row execute function note_user_event();
create trigger users_changed_event after update on users
  for each row when (
    new.profile_version > old.profile_version
      or (new.disabled_at is null) <> (old.disabled_at is null)
      or (new.deleted_at is null) <> (old.deleted_at is null)
  )
  execute function note_user_event();

create function note_report_event() returns trigger
  language plpgsql
  as $$
begin
  insert into events (type, chat_id, message_id, user_id, data)
  values (
    'report', (select chat_id from messages where id = new.message_id), new.message_id, new.reporter_id,
    jsonb_build_object('reportId', new.id)
  );
  return null;
end
$$;
create trigger reports_event after insert on reports
  for each row execute function note_report_event();
