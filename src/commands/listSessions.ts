import { Type } from 'typebox';
import { prepared } from '../database/statements.ts';
import { wire } from '../database/wire.ts';
import type { SessionId } from '../ids.ts';
import { DEFAULT_LIMIT } from '../messages/history.ts';
import { Cursor, NextCursor, ROWS } from '../protocol/cursor.ts';
import { described, Id, Limit, Nullable, Time } from '../protocol/schema/types.ts';
import { NODE_DEAD_AFTER } from '../sessions/SessionLog.ts';
import { defineRead } from './define.ts';

export const listSessions = defineRead({
  type: 'listSessions',
  summary: 'List the open and recent connections of this user, newest first',
  description:
    'device is the value of ?device= that the client connected with, or its User-Agent. Ended connections are kept for 30 days.',
  params: Type.Object({
    live: Type.Optional(
      Type.Boolean({ description: 'True: only open connections; false: only ended ones; default: both' }),
    ),
    limit: Limit,
    cursor: Cursor,
  }),
  result: Type.Object({
    data: Type.Array(
      Type.Object(
        {
          sessionId: Id.session,
          device: Nullable(
            Type.String({ description: 'The device, as the client or its User-Agent names it' }),
          ),
          address: Type.String({ description: 'IP address of the client' }),
          connectedAt: Time,
          endedAt: Nullable(described(Time, 'null while the connection is open')),
          current: Type.Boolean({ description: 'True for this connection' }),
        },
        { title: 'Session', description: 'A connection of this user, open or ended' },
      ),
      ROWS,
    ),
    nextCursor: NextCursor,
  }),
  cost: 1,
  errors: [],
  async handle({ live, limit = DEFAULT_LIMIT, cursor }, { session, sessionId, sessions, db, cursors }) {
    await sessions.flushed();
    const before = cursors.idFrom(cursor, Number.MAX_SAFE_INTEGER);
    const bind = [session.userId, before, limit + 1, sessionId, NODE_DEAD_AFTER / 1000];
    const statement = live === undefined ? recentSessions : live ? liveSessions : endedSessions;
    return cursors.pageOf((await db.query<Row>(statement, bind)).map(wire), limit, (row) => [row.sessionId]);
  },
});

interface Row {
  readonly sessionId: SessionId;
  readonly device: string | null;
  readonly address: string;
  readonly connectedAt: Date;
  readonly endedAt: Date | null;
  readonly current: boolean;
}

/**
 * Sessions of the user $1 below the id $2, $3 of them, newest first; $4 is the one that asks. Those of a node that died, or
 * was silent for $5 seconds, ended with its last sign of life. The array of one keeps PostgreSQL from going through the
 * sessions of everybody in the order of their ids, where it knows that many of them are of this user.
 */
const sessionsWhere = (condition: string) => `
select sessions.id as "sessionId", device, address, connected_at as "connectedAt", ended.at as "endedAt",
  sessions.id = $4 as current
from sessions
left join lateral (select * from nodes where id = sessions.node_id limit 1) nodes on true
cross join lateral (
  select case
    when ended_at is not null then ended_at
    when nodes.id is null then connected_at
    when nodes.beat_at < clock_timestamp() - make_interval(secs => $5) then nodes.beat_at
  end as at
) ended
where user_id = any (array[$1::bigint]) and sessions.id < $2 and ${condition}
order by user_id desc, sessions.id desc
limit $3
`;

/** Index sessions_user. */
const recentSessions = prepared('recent sessions', sessionsWhere('true'));
/** The same: the live ones that are passed over are few. */
const endedSessions = prepared('ended sessions', sessionsWhere('ended.at is not null'));
/** Index sessions_live. */
const liveSessions = prepared('live sessions', sessionsWhere('ended_at is null and ended.at is null'));
