-- Groups that were deleted, whose members are still in chat_members: any node moves them to former_members. Nobody is a
-- member of a group with closed_at, whichever of the two tables has the row.
create table closures (
  chat_id    bigint         primary key,
  created_at timestamptz(3) not null default clock_timestamp()
);
