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

/** Milliseconds without a connection after which a user is offline; a faster reconnect goes unnoticed. */
const GRACE = 5_000;
/** Maximum subscriptions of one connection. */
const MAX_SUBSCRIPTIONS = 1_000;
/** Users whose state one query reads. */
const MAX_BATCH = 500;
/** Maximum reads of states for which pushes arrive at the same time. */
const MAX_ATTEMPTS = 5;

/** A connection that counts for the presence of its user. */
export interface PresentConnection {
  readonly session: Pick<Session, 'userId'>;
}

/** Users whose presence a connection watches. */
export interface Watching {
  /** Users whose changes are pushed to the connection. */
  readonly watched: Set<UserId>;
  /** Watched users who are hidden because of a block. */
  readonly hidden: Set<UserId>;
}

/** A connection that may watch the presence of others. */
export interface Viewer {
  readonly session: Pick<Session, 'userId'>;
  /** Undefined if the connection watches no users. */
  readonly watching: Watching | undefined;
  /** Number of times that a user was hidden from the connection. */
  readonly hidings: number;
  send(frame: string): void;
}

/** The connections of this node, as far as they watch presence: `PresenceSubscriptions` as far as this folder needs it. */
export interface Viewers {
  get(id: ConnectionId): Viewer | undefined;
  /** Adds watched users to a connection; returns false and changes nothing if they would exceed `max`. */
  watch(viewer: Viewer, userIds: readonly UserId[], max: number): boolean;
  /** Removes watched users from a connection: `userIds`, or all of them. */
  unwatch(id: ConnectionId, userIds?: readonly UserId[]): void;
  /** Shows those of the users to a connection who were hidden from it. */
  show(viewer: Viewer, userIds: readonly UserId[]): void;
  /** Returns the number of presence pushes of users that were delivered on this node. */
  presencePushes(userIds: readonly UserId[]): number;
  /** Returns true if a connection of this or another node may watch a user. */
  mayBeWatched(userId: UserId): boolean;
}

export type PresenceState = Static<typeof PresenceSchema> & { readonly userId: UserId };

/**
 * Tracks which users are online. States are read from the sessions of all nodes in the database. Changes are published
 * by the node where they happen, to a topic per user, so that only subscribers cause work.
 */
export class Presence {
  readonly #db: Database;
  readonly #bus: Publisher;
  readonly #changes: KeyedQueue;
  readonly #sessions: SessionLog;
  readonly #connections: Viewers;
  readonly #log: Logger;
  /** Number of open connections of each user on this node. */
  readonly #open = new Map<UserId, number>();
  /** Users whose last connection on this node ended within the grace period. */
  readonly #leaving = new Map<UserId, NodeJS.Timeout>();
  /**
   * Loads many users with one query at a time, so that thousands of simultaneous changes do not block the database for
   * others.
   */
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

  /**
   * Returns the states of users as `viewerId` may see them: invisible users and blocked ones in either direction are
   * offline.
   */
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
   * Subscribes a connection to changes of users, which are pushed while neither has blocked the other, and returns the
   * current states. For changes of blocks see `PresenceSubscriptions.setHidden`.
   */
  async subscribe(
    viewerId: UserId,
    connectionId: ConnectionId,
    userIds: readonly UserId[],
  ): Promise<PresenceState[]> {
    // Changes in progress are pushed to earlier subscribers; this one reads their result.
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

  /** Reads states, and repeats the read if a newer state may have been pushed at the same time. */
  async #upToDate<T>(userIds: readonly UserId[], read: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const pushes = this.#connections.presencePushes(userIds);
      const states = await read();
      if (pushes === this.#connections.presencePushes(userIds) || attempt === MAX_ATTEMPTS) return states;
    }
  }

  /** Pushes that a user is offline to a connection that may no longer see them, if that is a change. */
  hidden(viewer: Viewer, userId: UserId): void {
    this.#pushHidden(viewer, userId).catch((error) => {
      if (!isTransient(error)) this.#log.error({ err: error }, 'failed to push presence after a block');
    });
  }

  /** Pushes the states of users to a connection that may see them again. */
  shown(viewer: Viewer, userIds: readonly UserId[]): void {
    this.#pushShown(viewer, userIds).catch((error) => {
      if (!isTransient(error)) this.#log.error({ err: error }, 'failed to push presence');
    });
  }

  async #pushHidden(viewer: Viewer, userId: UserId): Promise<void> {
    const [[state], user] = await Promise.all([
      this.#statesIn(this.#db, userId, [userId]),
      this.#db.users.findByPk(userId),
    ]);
    if (!viewer.watching?.hidden.has(userId) || !state || looksHidden(state)) return;
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
      if (viewer.watching?.watched.has(state.userId) && !looksHidden(state))
        viewer.send(encodeState(nameOf(userOf.get(state.userId)), state));
  }

  /** Ends subscriptions of a connection: to `userIds`, or all of them. */
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

  /** Handles a connection that was opened on this node. */
  async connected(connection: PresentConnection): Promise<void> {
    const { userId } = connection.session;
    const open = (this.#open.get(userId) ?? 0) + 1;
    this.#open.set(userId, open);
    const leaving = this.#leaving.get(userId);
    if (leaving) {
      clearTimeout(leaving);
      this.#leaving.delete(userId);
    } else if (open === 1 && this.#connections.mayBeWatched(userId)) {
      await this.#inOrder(userId, async () => {
        await this.#sessions.flushed(); // a read after the push must not return an older state
        const user = await this.#visible.load(userId);
        if (user) this.#publish(userId, nameOf(user), true, null);
      });
    }
  }

  /** Handles a connection that was closed on this node. */
  disconnected(connection: PresentConnection): void {
    const { userId } = connection.session;
    const open = (this.#open.get(userId) ?? 1) - 1;
    if (open > 0) {
      this.#open.set(userId, open);
      return;
    }
    this.#open.delete(userId);
    const timer = setTimeout(() => {
      this.#leaving.delete(userId);
      if (!this.#connections.mayBeWatched(userId)) return; // later subscribers read the state
      this.#inOrder(userId, () => this.#publishOffline(userId)).catch((error) => {
        // During an outage of the database nothing is pushed; later reads are correct.
        if (!isTransient(error)) this.#log.error({ err: error }, 'failed to publish offline presence');
      });
    }, GRACE);
    this.#leaving.set(userId, timer.unref());
  }

  /** Publishes that users are offline whose node died. */
  orphaned(users: readonly OrphanedUser[]): void {
    for (const { userId, username, lastSeenAt } of users) this.#publish(userId, username, false, lastSeenAt);
  }

  close(): void {
    for (const timer of this.#leaving.values()) clearTimeout(timer);
    this.#leaving.clear();
  }

  /**
   * Runs work that reads and publishes the presence of a user after earlier work of that user, so that states are
   * published in order.
   */
  #inOrder(userId: UserId, work: () => Promise<void>): Promise<void> {
    return this.#changes.run(presenceOf(userId), work);
  }

  async #publishOffline(userId: UserId): Promise<void> {
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

/** Returns true if a state equals what a blocked user sees. */
const looksHidden = ({ online, lastSeenAt }: PresenceState): boolean => !online && lastSeenAt === null;

const encodeState = (username: string, state: PresenceState): string =>
  encodePush('subscribePresence', null, username, state);

const presenceOf = (userId: UserId) => `presence:${userId}`;

/** Parameters of `isConnected`: seconds of the grace period, and seconds after which a silent node is dead. */
const CONNECTED_BIND = [GRACE / 1000, NODE_DEAD_AFTER / 1000] as const;

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

/** Reads the states of the users $3, a JSON array of ids, as the user $4 sees them. */
const states = prepared(
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
interface Visible {
  readonly userId: UserId;
  readonly username: string | null;
  readonly online: boolean;
  readonly lastSeenAt: Date | null;
}

/** Reads the visible ones of the users $3, a JSON array of ids. */
const visible = prepared(
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
const unblockedOf = prepared(
  'unblocked users',
  `
select text::bigint as id
from jsonb_array_elements_text($2::jsonb) as input (text)
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
