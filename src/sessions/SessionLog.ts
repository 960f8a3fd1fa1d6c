import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Session } from '../auth/session.ts';
import type { Clock } from '../database/clock.ts';
import type { Database } from '../database/database.ts';
import { levelOf } from '../database/failures.ts';
import type { SessionId, UserId } from '../ids.ts';

/** Milliseconds between two heartbeats of this node. */
const HEARTBEAT = 3_000;
/** Milliseconds without a heartbeat after which a node counts as dead. */
export const NODE_DEAD_AFTER = 9_000;
/** Time for which sessions are kept after their end. */
const RETENTION = '30 days';
/** Sessions per statement. */
const CHUNK = 5_000;
/**
 * Unrecorded sessions kept during an outage of the database, about 500 bytes each; beyond that, the oldest are dropped.
 */
const MAX_UNRECORDED = 100_000;

/** A connection, as far as the log records it. */
export interface RecordedConnection {
  readonly sessionId: SessionId;
  readonly session: Pick<Session, 'userId' | 'tokenId'>;
  readonly address: string;
  readonly device: string | null;
  /** Set by the log: when it was opened, in milliseconds since the epoch by the clock of the database. */
  connectedAt: number;
}

/** A user whose last connection was to a node that died. */
export interface OrphanedUser {
  readonly userId: UserId;
  readonly username: string;
  readonly lastSeenAt: Date;
}

interface SessionChange {
  readonly id: SessionId;
  readonly user_id: UserId;
  readonly token_id: string | null;
  readonly device: string | null;
  readonly address: string;
  /** In ISO 8601. */
  readonly connected_at: string;
  readonly ended_at: string | null;
}

/**
 * Records the connections of this node in the database, where presence and `listSessions` read those of all nodes.
 * Writes are asynchronous and batched, so that connecting does not wait for them; after an outage of the database they
 * are made up for. A node that crashes is detected by its missing heartbeats, and the others end its sessions.
 */
export class SessionLog {
  readonly nodeId = randomUUID();
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** The open connections by session. */
  readonly #open = new Map<SessionId, RecordedConnection>();
  /** Changes to be written by session, oldest first. */
  readonly #changed = new Map<SessionId, SessionChange>();
  #flushing: Promise<void> | undefined;
  readonly #timer: NodeJS.Timeout;
  /** Both are times of `performance.now()`. */
  #sweptAt = Number.NEGATIVE_INFINITY;
  #heartbeatAt = Number.NEGATIVE_INFINITY;
  #orphaned: (users: readonly OrphanedUser[]) => void = () => {};

  /** `clock` is that of the database, with which presence compares the beginning and the end of sessions. */
  constructor(db: Database, clock: Clock, log: Logger) {
    this.#db = db;
    this.#clock = clock;
    this.#log = log;
    this.#timer = setInterval(() => this.#heartbeat(), HEARTBEAT).unref();
  }

  /** Registers this node. `onOrphaned` receives the users who went offline because another node died. */
  async start(onOrphaned: (users: readonly OrphanedUser[]) => void): Promise<void> {
    this.#orphaned = onOrphaned;
    await this.#db.execute(heartbeat, [this.nodeId]);
  }

  opened(connection: RecordedConnection): void {
    connection.connectedAt = this.#clock.now();
    this.#open.set(connection.sessionId, connection);
    this.#record(connection, null);
    this.#flushSoon();
  }

  /** Returns false, and records nothing, if the session was not recorded as open. */
  closed(connection: RecordedConnection): boolean {
    if (!this.#open.delete(connection.sessionId)) return false;
    this.#record(connection, this.#clock.now());
    this.#flushSoon();
    return true;
  }

  /**
   * Queues a change of a session. Its end is never before its beginning, although the estimate of the clock may have
   * changed.
   */
  #record(
    { sessionId, session, device, address, connectedAt }: RecordedConnection,
    endedAt: number | null,
  ): void {
    this.#changed.set(sessionId, {
      id: sessionId,
      user_id: session.userId,
      token_id: session.tokenId,
      device,
      address,
      connected_at: timeOf(connectedAt),
      ended_at: endedAt === null ? null : timeOf(Math.max(endedAt, connectedAt)),
    });
    if (this.#changed.size <= MAX_UNRECORDED) return;
    const [oldest] = this.#changed.keys();
    if (oldest !== undefined) this.#changed.delete(oldest);
  }

  #flushSoon(): void {
    this.flushed().catch(() => {}); // already logged; the changes stay queued
  }

  /** Resolves when all changes so far of this node are in the database. Rejects if the database is unavailable. */
  async flushed(): Promise<void> {
    await this.#flushing; // it may have begun before the latest change
    for (let left = this.#changed.size; left > 0 && this.#changed.size > 0; left -= CHUNK) {
      this.#flushing ??= this.#flush().finally(() => {
        this.#flushing = undefined;
      });
      await this.#flushing;
    }
    await this.#flushing; // another call may have begun it with changes that this one waits for
  }

  async #flush(): Promise<void> {
    const entries: SessionChange[] = [];
    for (const [id, entry] of this.#changed) {
      if (entries.length === CHUNK) break;
      this.#changed.delete(id);
      entries.push(entry);
    }
    try {
      await this.#db.execute(writeSessions, [JSON.stringify(entries), this.nodeId]);
    } catch (error) {
      for (const entry of entries) if (!this.#changed.has(entry.id)) this.#changed.set(entry.id, entry);
      this.#log[levelOf(error)](
        { err: error, sessions: entries.length },
        'failed to record sessions; retrying',
      );
      throw error;
    }
  }

  /** Writes the heartbeat of this node and ends the sessions of dead nodes. */
  async #heartbeat(): Promise<void> {
    try {
      await this.flushed();
      const [row] = await this.#db.execute<{ isNew: boolean }>(heartbeat, [this.nodeId]);
      // The other nodes took this one for dead, so its open sessions are recorded again.
      if (row?.isNew) for (const connection of this.#open.values()) this.#record(connection, null);
      const now = performance.now();
      const isRegular = now - this.#heartbeatAt < 2 * HEARTBEAT;
      this.#heartbeatAt = now;
      // After a pause of this node or of the database, missing heartbeats of others prove nothing.
      if (!isRegular) return;
      const users = await this.#db.execute<OrphanedUser>(endSessionsOfDeadNodes, [NODE_DEAD_AFTER / 1000]);
      if (users.length > 0) this.#orphaned(users);
      if (now - this.#sweptAt < 3_600_000) return;
      this.#sweptAt = now;
      await deleteOldSessions(this.#db);
    } catch (error) {
      this.#log.debug({ err: error }, 'failed to write heartbeat');
    }
  }

  /** Ends the open sessions and removes this node. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    const now = this.#clock.now();
    for (const connection of this.#open.values()) this.#record(connection, now);
    this.#open.clear();
    await this.flushed().catch(() => {});
    await this.#db.execute('delete from nodes where id = $1', [this.nodeId]).catch(() => {});
  }
}

const timeOf = (milliseconds: number): string => new Date(milliseconds).toISOString();

const heartbeat = `
insert into nodes (id) values ($1) on conflict (id) do update set beat_at = clock_timestamp()
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
const writeSessions = `
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

const endSessionsOfDeadNodes = `
with dead as (
  delete from nodes where beat_at < clock_timestamp() - make_interval(secs => $1) returning id, beat_at
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

/** Rows deleted per statement, which takes some tens of milliseconds. */
const SLICE = 2_000;

/** Deletes sessions that ended long ago, and revoked tokens that have expired, in slices. */
export async function deleteOldSessions(db: Database, slice = SLICE): Promise<void> {
  for (const [statement, bind] of [
    [deleteEndedSessions, [slice, RETENTION]],
    [deleteExpiredTokens, [slice]],
  ] as const)
    while ((await db.execute(statement, bind)).length === slice);
}

/** Uses the index sessions_ended to find the ids, and the key to delete. Skips rows that another node is deleting. */
const deleteEndedSessions = `
delete from sessions where id = any (array(
  select id from sessions where ended_at < (select clock_timestamp() - $2::interval)
  order by ended_at limit $1 for update skip locked
))
returning id
`;

/** Uses the index ended_tokens_expired. */
const deleteExpiredTokens = `
delete from ended_tokens where token_id = any (array(
  select token_id from ended_tokens where expires_at < (select clock_timestamp())
  order by expires_at limit $1 for update skip locked
))
returning token_id
`;
