alter table messages drop version;
