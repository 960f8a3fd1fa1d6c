-- Where events are posted. How far an endpoint has accepted them, and which node delivers, is in event_consumers, under the
-- name 'webhook:' || id.
create table webhooks (
  id              bigint         generated always as identity primary key,
  url             text           not null,
  -- null: all
  types           text[],
  -- in the clear, because it signs
  secret          text           not null,
  created_at      timestamptz(3) not null default clock_timestamp(),
  -- times that the cursor was moved back
  replays         integer        not null default 0,
  paused_at       timestamptz(3),
  -- null while paused: by an operator
  pause_reason    text,
  -- of the batch that was not accepted: failed attempts, the first of them, and the time of its first event
  attempts        integer        not null default 0,
  failing_since   timestamptz(3),
  oldest_at       timestamptz(3),
  next_attempt_at timestamptz(3),
  last_success_at timestamptz(3),
  last_failure_at timestamptz(3),
  last_failure    text
);
