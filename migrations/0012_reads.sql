-- concurrently
-- Who left since: sync would read all who ever left.
create index concurrently former_members_changed on former_members (chat_id, xid);
-- What a person reported, for the export of their data.
create index concurrently reports_reporter on reports (reporter_id);
