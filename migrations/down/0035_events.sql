drop trigger reports_event on reports;
drop function note_report_event;
drop trigger users_changed_event on users;
drop trigger users_created_event on users;
drop function note_user_event;
alter table database_runs drop event_snapshot;
drop table event_consumers, events;
