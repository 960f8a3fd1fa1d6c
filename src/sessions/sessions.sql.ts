import { NODES_TOPIC } from '../bus/outbox.ts';

/** Registers the node $1, which has changed nothing yet. */
export const addNode = 'insert into nodes (id) values ($1)';

const settledXid = 'pg_snapshot_xmin(pg_current_snapshot())';

/**
 * Writes the heartbeat of the node $1; `isNew` is true if it was taken for dead: what it has published is not known then.
 * If $2, the changes that it had committed when it noted a transaction are published; if $3, it notes the present one.
 */
export const heartbeat = `
insert into nodes (id, published_xid) values ($1, '0') on conflict (id) do update
set beat_at = clock_timestamp(),
  published_xid = case when $2 then nodes.noted_xid else nodes.published_xid end,
  noted_xid = case when $3 then ${settledXid} else nodes.noted_xid end
returning xmax = 0 as "isNew"
`;

/**
 * Stores the time at which users were last seen, because sessions are deleted after a while. Excludes invisible users.
 */
const lastSeen = `
update users set last_seen_at = greatest(users.last_seen_at, last.ended_at)
from (
  -- in the order of ids, so that two nodes never wait for each other
  select id, (select max(ended_at) from ended where user_id = users.id) as ended_at
  from users where id in (select user_id from ended) order by id for no key update
) last
where users.id = last.id and not users.is_invisible
`;

/**
 * Writes the sessions $1, a JSON array, of the node $2. Sessions of deleted accounts, whose connections end later, are
 * not stored: the lock waits for a running deletion before anything is written.
 */
export const writeSessions = `
with input as (
  select input.* from jsonb_to_recordset($1::jsonb) as input (
    id bigint, user_id bigint, token_id text, device text, address text, connected_at timestamptz, ended_at timestamptz
  )
  join users on users.id = input.user_id and users.deleted_at is null
  for key share of users
), written as (
  insert into sessions (id, user_id, node_id, token_id, device, address, connected_at, ended_at)
  select id, user_id, $2::uuid, token_id, device, address, connected_at, ended_at from input
  on conflict (id) do update set ended_at = excluded.ended_at
), ended as (
  select user_id, ended_at from input where ended_at is not null
)
${lastSeen}
`;

/**
 * Removes the nodes without a heartbeat for $1 seconds and ends their sessions. Returns the users who have no session on
 * another node, without the invisible ones. The outbox has a notice of each node that was removed: all nodes find it if and
 * only if this is committed.
 */
export const endSessionsOfDeadNodes = `
with dead as (
  delete from nodes where beat_at < clock_timestamp() - make_interval(secs => $1) returning id, beat_at, published_xid
), noticed as (
  insert into notices (topic, message)
  select '${NODES_TOPIC}', jsonb_build_object('died', jsonb_build_object(
    'since', published_xid::text, 'until', pg_snapshot_xmax(pg_current_snapshot())::text
  ))
  from dead
), ended as (
  update sessions set ended_at = dead.beat_at from dead
  where node_id = dead.id and ended_at is null
  returning user_id, ended_at
), last_seen as (
  ${lastSeen}
)
select users.id as "userId", users.username, max(ended.ended_at) as "lastSeenAt"
from ended join users on users.id = ended.user_id
where not users.is_invisible and users.deleted_at is null and not exists (
  select from sessions
  cross join lateral (
    select from nodes where id = sessions.node_id and beat_at >= clock_timestamp() - make_interval(secs => $1) limit 1
  ) node
  where sessions.user_id = users.id and sessions.ended_at is null
)
group by users.id, users.username
`;

/** Removes the node $1. */
export const removeNode = 'delete from nodes where id = $1';
