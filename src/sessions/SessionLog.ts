import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Session } from '../auth/session.ts';
import type { Clock } from '../database/clock.ts';
import type { Database } from '../database/database.ts';
import { levelOf } from '../database/failures.ts';
import type { SessionId, UserId } from '../ids.ts';

/** Milliseconds between two signs of life of this node. */
const BEAT = 3_000;
/** Milliseconds without a sign of life after which a node counts as dead. */
export const NODE_DEAD_AFTER = 9_000;
/** How long a session is remembered after its end. */
const REMEMBERED = '30 days';
/** Sessions in one statement. */
const CHUNK = 5_000;
/** Sessions that wait to be recorded while the database does not take them, some 500 bytes each; the oldest are let go. */
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

/** Somebody whose last connection was to a node that died. */
export interface OrphanedUser {
  readonly userId: UserId;
  readonly username: string;
  readonly lastSeenAt: Date;
}

interface SessionChange {
  readonly id: number;
  readonly user_id: number;
  readonly token_id: string | null;
  readonly device: string | null;
  readonly address: string;
  /** As text of ISO 8601. */
  readonly connected_at: string;
  readonly ended_at: string | null;
}

/**
 * Keeps a record of the connections of all nodes in the database: what presence and `listSessions` read. Written
 * behind the connections, many in one statement, so that connecting waits for nothing; what the database could not
 * take is written when it is back. A node that dies without a word is found by its missing signs of life, and its
 * sessions are ended by the others.
 */
export class SessionLog {
  readonly nodeId = randomUUID();
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** The connections that are open, by their sessions. */
  readonly #open = new Map<SessionId, RecordedConnection>();
  /** What is to be written, by the sessions, the oldest first. */
  readonly #changed = new Map<SessionId, SessionChange>();
  #flushing: Promise<void> | undefined;
  readonly #timer: NodeJS.Timeout;
  /** Both by `performance.now()`. */
  #sweptAt = Number.NEGATIVE_INFINITY;
  #beatAt = Number.NEGATIVE_INFINITY;
  #orphaned: (users: readonly OrphanedUser[]) => void = () => {};

  /** Sessions begin and end by the `clock` of the database, which presence compares them with. */
  constructor(db: Database, clock: Clock, log: Logger) {
    this.#db = db;
    this.#clock = clock;
    this.#log = log;
    this.#timer = setInterval(() => this.#beat(), BEAT).unref();
  }

  /** Makes this node known; `bereft` is told who went offline with another one. */
  async start(bereft: (users: readonly OrphanedUser[]) => void): Promise<void> {
    this.#orphaned = bereft;
    await this.#db.execute(beat, [this.nodeId]);
  }

  opened(connection: RecordedConnection): void {
    connection.connectedAt = this.#clock.now();
    this.#open.set(connection.sessionId, connection);
    this.#record(connection, null);
    this.#flushSoon();
  }

  closed(connection: RecordedConnection): void {
    if (!this.#open.delete(connection.sessionId)) return;
    this.#record(connection, this.#clock.now());
    this.#flushSoon();
  }

  /** Notes what is to be written of a session. It does not end before it began: the clock may be known better by then. */
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
    this.flushed().catch(() => {}); // logged there; kept for the next time
  }

  /** Resolves when what happened so far on this node is in the database; rejects when the database is away. */
  async flushed(): Promise<void> {
    await this.#flushing; // which may have begun before that happened
    for (let left = this.#changed.size; left > 0 && this.#changed.size > 0; left -= CHUNK) {
      this.#flushing ??= this.#flush().finally(() => {
        this.#flushing = undefined;
      });
      await this.#flushing;
    }
    await this.#flushing; // begun by another call, with what this one waits for
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
        'sessions could not be recorded; trying again',
      );
      throw error;
    }
  }

  /** Shows that this node lives, and ends the sessions of nodes that do not. */
  async #beat(): Promise<void> {
    try {
      await this.flushed();
      const [sign] = await this.#db.execute<{ isNew: boolean }>(beat, [this.nodeId]);
      // Taken for dead by the others: what is open is recorded once more.
      if (sign?.isNew) for (const connection of this.#open.values()) this.#record(connection, null);
      const now = performance.now();
      const isRegular = now - this.#beatAt < 2 * BEAT;
      this.#beatAt = now;
      // After a pause of its own, or of the database, this node cannot tell who is dead.
      if (!isRegular) return;
      const users = await this.#db.execute<OrphanedUser>(endSessionsOfTheDead, [NODE_DEAD_AFTER / 1000]);
      if (users.length > 0) this.#orphaned(users);
      if (now - this.#sweptAt < 3_600_000) return;
      this.#sweptAt = now;
      await deleteOldSessions(this.#db);
    } catch (error) {
      this.#log.debug({ err: error }, 'no sign of life could be written');
    }
  }

  /** Ends what is still open. */
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

const beat = `
insert into nodes (id) values ($1) on conflict (id) do update set beat_at = clock_timestamp()
returning xmax = 0 as "isNew"
`;

/** When a user was seen last is kept with the user, for sessions are forgotten. Not of who is invisible. */
const seen = `
update users set last_seen_at = greatest(users.last_seen_at, last.ended_at)
from (
  -- in the order of ids, so that two nodes never wait for each other
  select id, (select max(ended_at) from ended where user_id = users.id) as ended_at
  from users where id in (select user_id from ended) order by id for no key update
) last
where users.id = last.id and not users.is_invisible
`;

/**
 * $1 an array of sessions as JSON, $2 this node. Nothing is kept of a deleted account, whose connections end later: the
 * lock waits for a deletion that is under way, before anything is written.
 */
const writeSessions = `
with given as (
  select given.* from jsonb_to_recordset($1::jsonb) as given (
    id bigint, user_id bigint, token_id text, device text, address text, connected_at timestamptz, ended_at timestamptz
  )
  join users on users.id = given.user_id and users.deleted_at is null
  for key share of users
), written as (
  insert into sessions (id, user_id, node_id, token_id, device, address, connected_at, ended_at)
  select id, user_id, $2::uuid, token_id, device, address, connected_at, ended_at from given
  on conflict (id) do update set ended_at = excluded.ended_at
), ended as (
  select user_id, ended_at from given where ended_at is not null
)
${seen}
`;

const endSessionsOfTheDead = `
with dead as (
  delete from nodes where beat_at < clock_timestamp() - make_interval(secs => $1) returning id, beat_at
), ended as (
  update sessions set ended_at = dead.beat_at from dead
  where node_id = dead.id and ended_at is null
  returning user_id, ended_at
), seen as (
  ${seen}
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

/** Rows that one statement forgets: some tens of milliseconds. */
const SLICE = 2_000;

/** Forgets sessions that ended long ago, and tokens that were ended and have expired since, some at a time. */
export async function deleteOldSessions(db: Database, slice = SLICE): Promise<void> {
  for (const [statement, bind] of [
    [forgetSessions, [slice, REMEMBERED]],
    [forgetTokens, [slice]],
  ] as const)
    while ((await db.execute(statement, bind)).length === slice);
}

/**
 * Along the index sessions_ended; the ids are found first, so that what is deleted is found by its key. Rows that another
 * node forgets at the moment are passed over.
 */
const forgetSessions = `
delete from sessions where id = any (array(
  select id from sessions where ended_at < (select clock_timestamp() - $2::interval)
  order by ended_at limit $1 for update skip locked
))
returning id
`;

/** Along the index ended_tokens_expired. */
const forgetTokens = `
delete from ended_tokens where token_id = any (array(
  select token_id from ended_tokens where expires_at < (select clock_timestamp())
  order by expires_at limit $1 for update skip locked
))
returning token_id
`;
