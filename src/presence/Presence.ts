import type { Logger } from 'pino';
import type { KeyedQueue } from '../bus/KeyedQueue.ts';
import type { Database, Queries } from '../database/database.ts';
import { isTransient } from '../database/failures.ts';
import type { ConnectionId, UserId } from '../ids.ts';
import { ApiError } from '../protocol/errors.ts';
import type { SessionLog } from '../sessions/SessionLog.ts';
import { nameOf } from '../users/names.ts';
import { CONNECTED_BIND, type StateRow, statesOfUsers, unblockedUsers } from './presence.sql.ts';
import { encodeState, hiddenState, looksHidden, type PresenceState, presenceKey, stateOf } from './state.ts';
import type { Viewer, Viewers } from './viewers.ts';

/** Maximum subscriptions of one connection. */
const MAX_SUBSCRIPTIONS = 1_000;
/** Maximum reads of states for which pushes arrive at the same time. */
const MAX_ATTEMPTS = 5;

/**
 * Shows which users are online. States are read from the sessions of all nodes in the database; subscribers receive the
 * changes that `PresenceChanges` publishes.
 */
export class Presence {
  readonly #db: Database;
  readonly #changes: KeyedQueue;
  readonly #sessions: SessionLog;
  readonly #viewers: Viewers;
  readonly #log: Logger;
  /** Users to whom a connection is being subscribed; their states are read after that, for the reply. */
  readonly #subscribing = new WeakMap<Viewer, Set<UserId>>();

  constructor(db: Database, changes: KeyedQueue, sessions: SessionLog, viewers: Viewers, log: Logger) {
    this.#db = db;
    this.#changes = changes;
    this.#sessions = sessions;
    this.#viewers = viewers;
    this.#log = log;
  }

  /**
   * Returns the states of users as `viewerId` may see them: invisible users and blocked ones in either direction are
   * offline.
   */
  of(viewerId: UserId, userIds: readonly UserId[]): Promise<PresenceState[]> {
    return this.#statesIn(this.#db.reads, viewerId, userIds);
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
    await Promise.all(userIds.map((userId) => this.#changes.settled(presenceKey(userId))));
    const viewer = this.#viewers.get(connectionId);
    if (viewer && !this.#viewers.watch(viewer, userIds, MAX_SUBSCRIPTIONS))
      throw new ApiError('CONFLICT', `A connection may subscribe to at most ${MAX_SUBSCRIPTIONS} users`);
    if (viewer) await this.#showUnblocked(viewer, userIds);
    return this.#upToDate(userIds, () => this.of(viewerId, userIds));
  }

  /** Ends subscriptions of a connection: to `userIds`, or all of them. */
  unsubscribe(connectionId: ConnectionId, userIds?: readonly UserId[]): void {
    this.#viewers.unwatch(connectionId, userIds);
  }

  /** Pushes that a user is offline to a connection that may no longer see them, if that is a change. */
  hidden(viewer: Viewer, userId: UserId): void {
    this.#pushHidden(viewer, userId).catch((error) => {
      if (!isTransient(error)) this.#log.error({ err: error }, 'failed to push presence after a block');
    });
  }

  /** Pushes the states of users to a connection that may see them again, unless a reply is about to tell them. */
  shown(viewer: Viewer, userIds: readonly UserId[]): void {
    const subscribing = this.#subscribing.get(viewer);
    const untold = userIds.filter((userId) => !subscribing?.has(userId));
    if (untold.length === 0) return;
    this.#pushShown(viewer, untold).catch((error) => {
      if (!isTransient(error)) this.#log.error({ err: error }, 'failed to push presence');
    });
  }

  async #statesIn(db: Queries, viewerId: UserId, userIds: readonly UserId[]): Promise<PresenceState[]> {
    await this.#sessions.flushed();
    const bind = [...CONNECTED_BIND, JSON.stringify(userIds), viewerId];
    const rows = await db.query<StateRow>(statesOfUsers, bind);
    return rows.map(({ userId, online, lastSeenAt }) => stateOf(userId, online, lastSeenAt));
  }

  /** Shows a connection those of the users whom no block hides. Repeats the read if a block was made during it. */
  async #showUnblocked(viewer: Viewer, userIds: readonly UserId[]): Promise<void> {
    const subscribing = this.#subscribing.get(viewer) ?? new Set();
    this.#subscribing.set(viewer, subscribing);
    for (const userId of userIds) subscribing.add(userId);
    try {
      for (let timesHidden: number | undefined; timesHidden !== viewer.timesHidden; ) {
        timesHidden = viewer.timesHidden;
        const bind = [viewer.session.userId, JSON.stringify(userIds)];
        const unblocked = await this.#db.query<{ id: UserId }>(unblockedUsers, bind);
        const ids = unblocked.map(({ id }) => id);
        if (timesHidden === viewer.timesHidden) this.#viewers.show(viewer, ids);
      }
    } finally {
      for (const userId of userIds) subscribing.delete(userId);
    }
  }

  /** Reads states, and repeats the read if a newer state may have been pushed at the same time. */
  async #upToDate<T>(userIds: readonly UserId[], read: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const pushes = this.#viewers.presencePushes(userIds);
      const states = await read();
      if (pushes === this.#viewers.presencePushes(userIds) || attempt === MAX_ATTEMPTS) return states;
    }
  }

  async #pushHidden(viewer: Viewer, userId: UserId): Promise<void> {
    const [[state], user] = await Promise.all([
      this.#statesIn(this.#db, userId, [userId]),
      this.#db.users.findByPk(userId),
    ]);
    if (!viewer.watching?.hidden.has(userId) || !state || looksHidden(state)) return;
    viewer.send(encodeState(nameOf(user), hiddenState(userId)));
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
}
