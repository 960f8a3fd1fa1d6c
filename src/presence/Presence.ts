import type DataLoader from 'dataloader';
import type { Logger } from 'pino';
import type { Static } from 'typebox';
import type { Session } from '../auth/session.ts';
import type { Publisher } from '../bus/bus.ts';
import type { KeyedQueue } from '../bus/KeyedQueue.ts';
import { presenceTopic, userTopic } from '../bus/topics.ts';
import { batched } from '../database/batched.ts';
import type { Database, Queries } from '../database/database.ts';
import { isTransient } from '../database/failures.ts';
import { prepared } from '../database/statements.ts';
import type { ConnectionId, UserId } from '../ids.ts';
import { ApiError } from '../protocol/errors.ts';
import { encodePush } from '../protocol/frames.ts';
import type { Presence as PresenceSchema } from '../protocol/schema/people.ts';
import { NODE_DEAD_AFTER, type OrphanedUser, type SessionLog } from '../sessions/SessionLog.ts';
import { nameOf } from '../users/names.ts';

/** Milliseconds without a connection after which a user is offline: a reconnect within is not noticed. */
const GRACE = 5_000;
/** Users one connection may subscribe to. */
const MAX_SUBSCRIPTIONS = 1_000;
/** Users whose comings and goings one query reads. */
const MAX_BATCH = 500;
/** Times that states are read which are pushed at the same moment. */
const MAX_ATTEMPTS = 5;

/** A connection that counts for the presence of its user. */
export interface PresentConnection {
  readonly session: Pick<Session, 'userId'>;
  /** Set by {@link Presence} while the connection counts. */
  isPresent: boolean;
}

/** Users whose presence a connection watches. */
export interface Watching {
  /** Those it is told of. */
  readonly watched: Set<UserId>;
  /** Those it would be told of, were there no block between them. */
  readonly hidden: Set<UserId>;
}

/** A connection that may watch the presence of others. */
export interface Viewer {
  readonly session: Pick<Session, 'userId'>;
  /** Undefined where it watches nobody. */
  readonly watching: Watching | undefined;
  /** How often its user was told to see nothing more of somebody's presence. */
  readonly hidings: number;
  send(frame: string): void;
}

/** The connections of this node, as far as they watch presence: the part of `Connections` that this folder needs. */
export interface Viewers {
  get(id: ConnectionId): Viewer | undefined;
  /** Adds users to those whom a connection watches; false, and nothing done, when they would be more than `max`. */
  watch(viewer: Viewer, userIds: readonly UserId[], max: number): boolean;
  /** Without `userIds`: of nobody any more. */
  unwatch(id: ConnectionId, userIds?: readonly UserId[]): void;
  /** Tells a connection from now on of the presence of those of the users who were hidden from it. */
  show(viewer: Viewer, userIds: readonly UserId[]): void;
  /** Returns how many pushes of the presence of these users were delivered since somebody here watches them. */
  presencePushes(userIds: readonly UserId[]): number;
  /** True if somebody may watch the presence of a user: here, or on another node. */
  mayBeWatched(userId: UserId): boolean;
}

export type PresenceState = Static<typeof PresenceSchema>;

/**
 * Who is there. The state is read from the sessions of all nodes in the database; changes are published by the
 * node where they happen, to a topic per user that only those listen to who subscribed: who has nothing to do with
 * a user costs nothing.
 */
export class Presence {
  readonly #db: Database;
  readonly #bus: Publisher;
  readonly #changes: KeyedQueue;
  readonly #sessions: SessionLog;
  readonly #connections: Viewers;
  readonly #log: Logger;
  /** How many connections of each user are open on this node. */
  readonly #open = new Map<UserId, number>();
  /** Users whose last connection of this node ended a moment ago. */
  readonly #leaving = new Map<UserId, NodeJS.Timeout>();
  /** Many with one query, one query at a time: when thousands come or leave at once, others get at the database. */
  readonly #visible: DataLoader<UserId, Visible | undefined>;

  constructor(
    db: Database,
    bus: Publisher,
    changes: KeyedQueue,
    sessions: SessionLog,
    connections: Viewers,
    log: Logger,
  ) {
    this.#db = db;
    this.#bus = bus;
    this.#changes = changes;
    this.#sessions = sessions;
    this.#connections = connections;
    this.#log = log;
    this.#visible = batched((userIds: readonly UserId[]) => this.#readVisible(userIds), MAX_BATCH);
  }

  /** The state of users as `viewerId` may see it: who is invisible, or blocked in either direction, is offline. */
  of(viewerId: UserId, userIds: readonly UserId[]): Promise<PresenceState[]> {
    return this.#statesIn(this.#db.reads, viewerId, userIds);
  }

  async #statesIn(db: Queries, viewerId: UserId, userIds: readonly UserId[]): Promise<PresenceState[]> {
    await this.#sessions.flushed();
    const rows = await db.query<{ userId: UserId; online: boolean; lastSeenAt: Date | null }>(states, [
      ...CONNECTED_BIND,
      JSON.stringify(userIds),
      viewerId,
    ]);
    return rows.map(({ lastSeenAt, ...row }) => ({ ...row, lastSeenAt: lastSeenAt?.toISOString() ?? null }));
  }

  /**
   * Tells a connection when these users come and go, from when no block stands between them on, and returns how it is
   * now. The node learns of each block: see `Connections.setHidden`.
   */
  async subscribe(
    viewerId: UserId,
    connectionId: ConnectionId,
    userIds: readonly UserId[],
  ): Promise<PresenceState[]> {
    // Who has just come is told to those who subscribed before, and read by those who do so now.
    await Promise.all(userIds.map((userId) => this.#changes.settled(presenceOf(userId))));
    const viewer = this.#connections.get(connectionId);
    if (viewer && !this.#connections.watch(viewer, userIds, MAX_SUBSCRIPTIONS))
      throw new ApiError('CONFLICT', `A connection may subscribe to at most ${MAX_SUBSCRIPTIONS} users`);
    if (viewer) await this.#showUnblocked(viewer, userIds);
    return this.#upToDate(userIds, () => this.of(viewerId, userIds));
  }

  async #showUnblocked(viewer: Viewer, userIds: readonly UserId[]): Promise<void> {
    for (let hidings: number | undefined; hidings !== viewer.hidings; ) {
      hidings = viewer.hidings;
      const bind = [viewer.session.userId, JSON.stringify(userIds)];
      const unblocked = await this.#db.query<{ id: UserId }>(unblockedOf, bind);
      const ids = unblocked.map(({ id }) => id);
      if (hidings === viewer.hidings) this.#connections.show(viewer, ids);
    }
  }

  /** Reads states again when a newer one may have been pushed meanwhile. */
  async #upToDate<T>(userIds: readonly UserId[], read: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const pushes = this.#connections.presencePushes(userIds);
      const states = await read();
      if (pushes === this.#connections.presencePushes(userIds) || attempt === MAX_ATTEMPTS) return states;
    }
  }

  /** A connection is not told of a user any more: it sees them as offline, which is pushed where it is a change. */
  hidden(viewer: Viewer, userId: UserId): void {
    this.#pushHidden(viewer, userId).catch((error) => {
      if (!isTransient(error)) this.#log.error({ err: error }, 'block not told');
    });
  }

  /** A connection is told of users again whom it saw as offline: pushes how they are. */
  shown(viewer: Viewer, userIds: readonly UserId[]): void {
    this.#pushShown(viewer, userIds).catch((error) => {
      if (!isTransient(error)) this.#log.error({ err: error }, 'presence not told');
    });
  }

  async #pushHidden(viewer: Viewer, userId: UserId): Promise<void> {
    const [[state], user] = await Promise.all([
      this.#statesIn(this.#db, userId, [userId]),
      this.#db.users.findByPk(userId),
    ]);
    if (!viewer.watching?.hidden.has(userId) || !state || isNothing(state)) return;
    viewer.send(encodeState(nameOf(user), { userId, online: false, lastSeenAt: null }));
  }

  async #pushShown(viewer: Viewer, userIds: readonly UserId[]): Promise<void> {
    const [states, users] = await this.#upToDate(userIds, () =>
      Promise.all([
        this.#statesIn(this.#db, viewer.session.userId, userIds),
        this.#db.users.findAll({ where: { id: [...userIds] } }),
      ]),
    );
    const userOf = new Map(users.map((user) => [user.id, user]));
    for (const state of states)
      if (viewer.watching?.watched.has(state.userId) && !isNothing(state))
        viewer.send(encodeState(nameOf(userOf.get(state.userId)), state));
  }

  /** Without `userIds`: to nobody any more. */
  unsubscribe(connectionId: ConnectionId, userIds?: readonly UserId[]): void {
    this.#connections.unwatch(connectionId, userIds);
  }

  async setInvisible(userId: UserId, invisible: boolean, origin: ConnectionId): Promise<void> {
    await this.#inOrder(userId, async () => {
      await this.#db.transaction(
        (transaction) => this.#db.execute<Invisibility>(setInvisible, [userId, invisible], transaction),
        ([changed]) => {
          if (!changed) return;
          const frame = encodePush('setPresence', null, changed.username, { invisible });
          this.#bus.publish(userTopic(userId), { frame, except: origin });
          this.#publish(userId, changed.username, !invisible, changed.lastSeenAt);
        },
      );
    });
  }

  /** A connection was opened on this node. */
  async connected(connection: PresentConnection): Promise<void> {
    const { userId } = connection.session;
    const open = (this.#open.get(userId) ?? 0) + 1;
    this.#open.set(userId, open);
    connection.isPresent = true;
    const leaving = this.#leaving.get(userId);
    if (leaving) {
      clearTimeout(leaving);
      this.#leaving.delete(userId);
    } else if (open === 1 && this.#connections.mayBeWatched(userId)) {
      await this.#inOrder(userId, async () => {
        await this.#sessions.flushed(); // who reads it after the push must not read an older state
        const user = await this.#visible.load(userId);
        if (user) this.#publish(userId, nameOf(user), true, null);
      });
    }
  }

  /** A connection was closed on this node. */
  disconnected(connection: PresentConnection): void {
    if (!connection.isPresent) return;
    connection.isPresent = false;
    const { userId } = connection.session;
    const open = (this.#open.get(userId) ?? 1) - 1;
    if (open > 0) {
      this.#open.set(userId, open);
      return;
    }
    this.#open.delete(userId);
    const timer = setTimeout(() => {
      this.#leaving.delete(userId);
      if (!this.#connections.mayBeWatched(userId)) return; // who watches from now on reads how it is
      this.#inOrder(userId, () => this.#gone(userId)).catch((error) => {
        // Where the database is away, who asks later is told right.
        if (!isTransient(error)) this.#log.error({ err: error }, 'departure not told');
      });
    }, GRACE);
    this.#leaving.set(userId, timer.unref());
  }

  /** The node that these users were connected to has died. */
  orphaned(users: readonly OrphanedUser[]): void {
    for (const { userId, username, lastSeenAt } of users) this.#publish(userId, username, false, lastSeenAt);
  }

  close(): void {
    for (const timer of this.#leaving.values()) clearTimeout(timer);
    this.#leaving.clear();
  }

  /** Runs what reads the presence of a user and publishes it after what was begun before: no older state comes later. */
  #inOrder(userId: UserId, work: () => Promise<void>): Promise<void> {
    return this.#changes.run(presenceOf(userId), work);
  }

  async #gone(userId: UserId): Promise<void> {
    await this.#sessions.flushed();
    const user = await this.#visible.load(userId);
    if (user && !user.online) this.#publish(userId, nameOf(user), false, user.lastSeenAt);
  }

  async #readVisible(userIds: readonly UserId[]): Promise<(Visible | undefined)[]> {
    const rows = await this.#db.query<Visible>(visible, [...CONNECTED_BIND, JSON.stringify(userIds)]);
    const rowOf = new Map(rows.map((row) => [row.userId, row]));
    return userIds.map((userId) => rowOf.get(userId));
  }

  #publish(userId: UserId, username: string, online: boolean, lastSeenAt: Date | null): void {
    const state = { userId, online, lastSeenAt: online ? null : (lastSeenAt?.toISOString() ?? null) };
    this.#bus.publish(presenceTopic(userId), { frame: encodeState(username, state) });
  }
}

/** True where a state says no more than what is shown behind a block. */
const isNothing = ({ online, lastSeenAt }: PresenceState): boolean => !online && lastSeenAt === null;

const encodeState = (username: string, state: PresenceState): string =>
  encodePush('subscribePresence', null, username, state);

const presenceOf = (userId: UserId) => `presence:${userId}`;

/** Parameters of `isConnected`: seconds of grace, and those after which a silent node is dead. */
const CONNECTED_BIND = [GRACE / 1000, NODE_DEAD_AFTER / 1000] as const;

/**
 * True if a user has a connection to some node, or had one a moment ago: from the open sessions (index sessions_live) and
 * the one that ended last (index sessions_ended_of_user), however many there were.
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

/** $3 ids as a JSON array, $4 who asks. */
const states = prepared(
  'presence',
  `
select wanted.id as "userId", coalesce(online, false) as online,
  case when not coalesce(online, false) and not hidden then users.last_seen_at end as "lastSeenAt"
from jsonb_array_elements_text($3::jsonb) with ordinality as given (text, ord)
cross join lateral (select given.text::bigint as id) wanted
left join lateral (
  select id, is_invisible, last_seen_at from users where id = wanted.id and deleted_at is null limit 1
) users on true
cross join lateral (
  select (select true from blocks where user_id = $4 and blocked_id = wanted.id) is true
    or (select true from blocks where user_id = wanted.id and blocked_id = $4) is true as hidden
) block
left join lateral (
  select not hidden and not users.is_invisible and ${isConnected} as online
) state on true
order by given.ord
`,
);

/** A user who is not invisible, as all see them whom no block hides them from. */
interface Visible {
  readonly userId: UserId;
  readonly username: string | null;
  readonly online: boolean;
  readonly lastSeenAt: Date | null;
}

/** $3 ids as a JSON array. */
const visible = prepared(
  'visible users',
  `
select users.id as "userId", users.username, users.last_seen_at as "lastSeenAt",
  users.deleted_at is null and ${isConnected} as online
from jsonb_array_elements_text($3::jsonb) as given (text)
cross join lateral (
  select id, username, last_seen_at, deleted_at from users
  where id = given.text::bigint and not is_invisible
  limit 1
) users
`,
);

/** Of the users $2, as a JSON array, those whom no block hides from the user $1. */
const unblockedOf = prepared(
  'unblocked users',
  `
select text::bigint as id
from jsonb_array_elements_text($2::jsonb) as given (text)
where (select true from blocks where user_id = $1 and blocked_id = text::bigint) is null
  and (select true from blocks where user_id = text::bigint and blocked_id = $1) is null
`,
);

interface Invisibility {
  readonly username: string;
  readonly lastSeenAt: Date | null;
}

const setInvisible = `
update users
set is_invisible = $2, last_seen_at = case when $2 then clock_timestamp() else last_seen_at end
where id = $1 and is_invisible <> $2
returning username, last_seen_at as "lastSeenAt"
`;
