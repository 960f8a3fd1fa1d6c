alter table nodes drop published_xid, drop noted_xid;
