-- Up to which transaction a node has published its changes, so that the others know what may be missing when it is
-- killed. Nodes of an older version do not set them: after such a node everything since its start may be missing.
alter table nodes
  add published_xid xid8 not null default pg_snapshot_xmin(pg_current_snapshot()),
  add noted_xid     xid8 not null default pg_snapshot_xmin(pg_current_snapshot());
