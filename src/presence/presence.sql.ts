import { prepared } from '../database/statements.ts';
import type { UserId } from '../ids.ts';
import { NODE_DEAD_AFTER } from '../sessions/SessionLog.ts';
import { GRACE } from './OnlineUsers.ts';

/** Parameters of `isConnected`: seconds of the grace period, and seconds after which a silent node is dead. */
export const CONNECTED_BIND = [GRACE / 1000, NODE_DEAD_AFTER / 1000] as const;

/**
 * An SQL condition: the user is connected to a node, or was within the grace period. It reads the open sessions (index
 * sessions_live) and the last ended one (index sessions_ended_of_user), regardless of their number.
 */
const isConnected = `(
  exists (
    select from sessions
    cross join lateral (
      select from nodes
      where id = sessions.node_id and beat_at > clock_timestamp() - make_interval(secs => $2)
      limit 1
    ) node
    where user_id = users.id and ended_at is null
  )
  or coalesce((
    select max(ended_at) from sessions where user_id = users.id and ended_at is not null
  ) > clock_timestamp() - make_interval(secs => $1), false)
)`;

/** The state of a user, as another user sees it. */
export interface StateRow {
  readonly userId: UserId;
  readonly online: boolean;
  readonly lastSeenAt: Date | null;
}

/** Reads the states of the users $3, a JSON array of ids, as the user $4 sees them. */
export const statesOfUsers = prepared(
  'presence',
  `
select requested.id as "userId", coalesce(online, false) as online,
  case when not coalesce(online, false) and not hidden then users.last_seen_at end as "lastSeenAt"
from jsonb_array_elements_text($3::jsonb) with ordinality as input (text, ord)
cross join lateral (select input.text::bigint as id) requested
left join lateral (
  select id, is_invisible, last_seen_at from users where id = requested.id and deleted_at is null limit 1
) users on true
cross join lateral (
  select (select true from blocks where user_id = $4 and blocked_id = requested.id) is true
    or (select true from blocks where user_id = requested.id and blocked_id = $4) is true as hidden
) block
left join lateral (
  select not hidden and not users.is_invisible and ${isConnected} as online
) state on true
order by input.ord
`,
);

/** A user who is not invisible, as everybody not affected by a block sees them. */
export interface VisibleUser {
  readonly userId: UserId;
  readonly username: string | null;
  readonly online: boolean;
  readonly lastSeenAt: Date | null;
}

/** Reads the visible ones of the users $3, a JSON array of ids. */
export const visibleUsers = prepared(
  'visible users',
  `
select users.id as "userId", users.username, users.last_seen_at as "lastSeenAt",
  users.deleted_at is null and ${isConnected} as online
from jsonb_array_elements_text($3::jsonb) as input (text)
cross join lateral (
  select id, username, last_seen_at, deleted_at from users
  where id = input.text::bigint and not is_invisible
  limit 1
) users
`,
);

/** Reads those of the users $2, a JSON array of ids, that have no block in either direction with the user $1. */
export const unblockedUsers = prepared(
  'unblocked users',
  `
select text::bigint as id
from jsonb_array_elements_text($2::jsonb) as input (text)
where (select true from blocks where user_id = $1 and blocked_id = text::bigint) is null
  and (select true from blocks where user_id = text::bigint and blocked_id = $1) is null
`,
);

export interface VisibilityChange {
  readonly username: string;
  readonly lastSeenAt: Date | null;
}

/** Makes the user $1 invisible, or visible again; returns a row if that is a change. */
export const setInvisible = `
update users
set is_invisible = $2, last_seen_at = case when $2 then clock_timestamp() else last_seen_at end
where id = $1 and is_invisible <> $2
returning username, last_seen_at as "lastSeenAt"
`;
