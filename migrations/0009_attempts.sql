-- Failed logins and registrations, counted for all nodes together (rate-limiter-flexible).
create table attempts (
  key    varchar(255) primary key,
  points integer      not null default 0,
  -- milliseconds since the epoch
  expire bigint
);
create index attempts_expire on attempts (expire);
