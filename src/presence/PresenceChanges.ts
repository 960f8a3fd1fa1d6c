import type DataLoader from 'dataloader';
import type { Logger } from 'pino';
import type { TokenClaims } from '../auth/tokens.ts';
import type { Publisher } from '../bus/bus.ts';
import type { KeyedQueue } from '../bus/KeyedQueue.ts';
import { reconcileEverywhere } from '../bus/outbox.ts';
import { presenceTopic, userTopic } from '../bus/topics.ts';
import { batched } from '../database/batched.ts';
import type { Database } from '../database/database.ts';
import { isTransient } from '../database/failures.ts';
import type { ConnectionId, UserId } from '../ids.ts';
import { encodePush } from '../protocol/frames.ts';
import type { OrphanedUser, SessionLog } from '../sessions/SessionLog.ts';
import { nameOf } from '../users/names.ts';
import { OnlineUsers } from './OnlineUsers.ts';
import {
  CONNECTED_BIND,
  setInvisible,
  type VisibilityChange,
  type VisibleUser,
  visibleUsers,
} from './presence.sql.ts';
import { encodeState, presenceKey, stateOf } from './state.ts';
import type { Viewers } from './viewers.ts';

/** Users whose state one query reads. */
const MAX_BATCH = 500;

/** A connection that counts for the presence of its user. */
export interface PresentConnection {
  readonly session: Pick<TokenClaims, 'userId'>;
}

/**
 * Publishes changes of presence: on the node where they happen, to a topic per user, so that only subscribers cause
 * work. Changes of one user are published in order.
 */
export class PresenceChanges {
  readonly #db: Database;
  readonly #bus: Publisher;
  readonly #changes: KeyedQueue;
  readonly #sessions: SessionLog;
  readonly #viewers: Pick<Viewers, 'mayBeWatched'>;
  readonly #log: Logger;
  /** Users with a connection to this node. */
  readonly #users = new OnlineUsers((userId) => this.#left(userId));
  /**
   * Loads many users with one query at a time, so that thousands of simultaneous changes do not block the database for
   * others.
   */
  readonly #visible: DataLoader<UserId, VisibleUser | undefined>;

  constructor(
    db: Database,
    bus: Publisher,
    changes: KeyedQueue,
    sessions: SessionLog,
    viewers: Pick<Viewers, 'mayBeWatched'>,
    log: Logger,
  ) {
    this.#db = db;
    this.#bus = bus;
    this.#changes = changes;
    this.#sessions = sessions;
    this.#viewers = viewers;
    this.#log = log;
    this.#visible = batched((userIds: readonly UserId[]) => this.#readVisible(userIds), MAX_BATCH);
  }

  /** Handles a connection that was opened on this node. */
  async connected({ session: { userId } }: PresentConnection): Promise<void> {
    if (!this.#users.opened(userId) || !this.#viewers.mayBeWatched(userId)) return;
    await this.#inOrder(userId, async () => {
      await this.#sessions.flushed(); // a read after the push must not return an older state
      const user = await this.#visible.load(userId);
      if (user) this.#publish(userId, nameOf(user), true, null);
    });
  }

  /** Handles a connection that was closed on this node. */
  disconnected({ session }: PresentConnection): void {
    this.#users.closed(session.userId);
  }

  /** Publishes that users are offline whose node died. */
  orphaned(users: readonly OrphanedUser[]): void {
    for (const { userId, username, lastSeenAt } of users) this.#publish(userId, username, false, lastSeenAt);
  }

  /** Makes a user invisible, or visible again, and publishes it if that is a change. */
  async setInvisible(userId: UserId, invisible: boolean, origin: ConnectionId): Promise<void> {
    await this.#inOrder(userId, async () => {
      await this.#db.transaction(
        async (transaction) => {
          const changed = await this.#db.execute<VisibilityChange>(
            setInvisible,
            [userId, invisible],
            transaction,
          );
          if (changed.length > 0) await reconcileEverywhere(this.#db, userId, transaction);
          return changed;
        },
        ([changed]) => {
          if (!changed) return;
          const frame = encodePush('setPresence', null, changed.username, { invisible });
          this.#bus.publish(userTopic(userId), { frame, except: origin });
          this.#publish(userId, changed.username, !invisible, changed.lastSeenAt);
        },
      );
    });
  }

  close(): void {
    this.#users.close();
  }

  #left(userId: UserId): void {
    if (!this.#viewers.mayBeWatched(userId)) return; // later subscribers read the state
    this.#inOrder(userId, () => this.#publishOffline(userId)).catch((error) => {
      // During an outage of the database nothing is pushed; later reads are correct.
      if (!isTransient(error)) this.#log.error({ err: error }, 'failed to publish offline presence');
    });
  }

  /** Publishes that a user is offline, unless the user is connected to another node. */
  async #publishOffline(userId: UserId): Promise<void> {
    await this.#sessions.flushed();
    const user = await this.#visible.load(userId);
    if (user && !user.online) this.#publish(userId, nameOf(user), false, user.lastSeenAt);
  }

  /** Runs work that reads and publishes the presence of a user after earlier work of that user. */
  #inOrder(userId: UserId, work: () => Promise<void>): Promise<void> {
    return this.#changes.run(presenceKey(userId), work);
  }

  async #readVisible(userIds: readonly UserId[]): Promise<(VisibleUser | undefined)[]> {
    const rows = await this.#db.query<VisibleUser>(visibleUsers, [
      ...CONNECTED_BIND,
      JSON.stringify(userIds),
    ]);
    const rowOf = new Map(rows.map((row) => [row.userId, row]));
    return userIds.map((userId) => rowOf.get(userId));
  }

  #publish(userId: UserId, username: string, online: boolean, lastSeenAt: Date | null): void {
    const frame = encodeState(username, stateOf(userId, online, lastSeenAt));
    this.#bus.publish(presenceTopic(userId), { frame });
  }
}
