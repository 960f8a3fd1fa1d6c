drop table database_runs;
