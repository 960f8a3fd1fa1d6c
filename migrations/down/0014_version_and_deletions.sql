drop table deletions;
drop table schema_version;
