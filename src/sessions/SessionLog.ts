import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { BusTransport } from '../bus/bus.ts';
import type { Clock } from '../database/clock.ts';
import type { Database } from '../database/database.ts';
import { levelOf } from '../database/failures.ts';
import type { SessionId, UserId } from '../ids.ts';
import { deleteOldSessions } from './oldSessions.ts';
import { addNode, endSessionsOfDeadNodes, heartbeat, removeNode, writeSessions } from './sessions.sql.ts';
import { type RecordedConnection, UnrecordedSessions } from './UnrecordedSessions.ts';

/** Milliseconds between two heartbeats of this node. */
const HEARTBEAT = 3_000;
/** Milliseconds without a heartbeat after which a node counts as dead. */
export const NODE_DEAD_AFTER = 9_000;
/** Milliseconds between two deletions of old sessions by this node. */
const CLEANUP_INTERVAL = 3_600_000;
/** Sessions per statement. */
const CHUNK = 5_000;

/** A user whose last connection was to a node that died. */
export interface OrphanedUser {
  readonly userId: UserId;
  readonly username: string;
  readonly lastSeenAt: Date;
}

/**
 * Records the connections of this node in the database, where presence and `listSessions` read those of all nodes.
 * Writes are asynchronous and batched, so that connecting does not wait for them; after an outage of the database they
 * are made up for. A node that crashes is detected by its missing heartbeats, and the others end its sessions. With the
 * heartbeats a node writes below which transaction all its changes are published: the others may not know the later ones.
 */
export class SessionLog {
  readonly nodeId = randomUUID();
  readonly #db: Database;
  readonly #bus: Pick<BusTransport, 'checkpoint'>;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** The open connections by session. */
  readonly #open = new Map<SessionId, RecordedConnection>();
  /** Changes that are to be written. */
  readonly #unrecorded = new UnrecordedSessions();
  #flushing: Promise<void> | undefined;
  readonly #timer: NodeJS.Timeout;
  /** Both are times of `performance.now()`. */
  #cleanedAt = Number.NEGATIVE_INFINITY;
  #heartbeatAt = Number.NEGATIVE_INFINITY;
  #isBeating = false;
  /**
   * Returns true once all changes are published that this node had committed when it noted a transaction in the database;
   * undefined if it has to note one.
   */
  #isPublished: (() => boolean) | undefined;
  #orphaned: (users: readonly OrphanedUser[]) => void = () => {};

  /** `clock` is that of the database, with which presence compares the beginning and the end of sessions. */
  constructor(db: Database, bus: Pick<BusTransport, 'checkpoint'>, clock: Clock, log: Logger) {
    this.#db = db;
    this.#bus = bus;
    this.#clock = clock;
    this.#log = log;
    this.#timer = setInterval(() => this.beat(), HEARTBEAT).unref();
  }

  /** Registers this node. `onOrphaned` receives the users who went offline because another node died. */
  async start(onOrphaned: (users: readonly OrphanedUser[]) => void): Promise<void> {
    this.#orphaned = onOrphaned;
    await this.#db.execute(addNode, [this.nodeId]);
  }

  /** Records a connection that was opened. */
  opened(connection: RecordedConnection): void {
    connection.connectedAt = this.#clock.now();
    this.#open.set(connection.sessionId, connection);
    this.#unrecorded.add(connection, null);
    this.#flushSoon();
  }

  /** Records a connection that was closed. Returns false, and records nothing, if it was not recorded as open. */
  closed(connection: RecordedConnection): boolean {
    if (!this.#open.delete(connection.sessionId)) return false;
    this.#unrecorded.add(connection, this.#clock.now());
    this.#flushSoon();
    return true;
  }

  #flushSoon(): void {
    this.flushed().catch(() => {}); // already logged; the changes stay queued
  }

  /** Resolves when all changes so far of this node are in the database. Rejects if the database is unavailable. */
  async flushed(): Promise<void> {
    await this.#flushing; // it may have begun before the latest change
    for (let left = this.#unrecorded.size; left > 0 && this.#unrecorded.size > 0; left -= CHUNK) {
      this.#flushing ??= this.#flush().finally(() => {
        this.#flushing = undefined;
      });
      await this.#flushing;
    }
    await this.#flushing; // another call may have begun it with changes that this one waits for
  }

  async #flush(): Promise<void> {
    const changes = this.#unrecorded.take(CHUNK);
    try {
      await this.#db.execute(writeSessions, [JSON.stringify(changes), this.nodeId]);
    } catch (error) {
      this.#unrecorded.putBack(changes);
      this.#log[levelOf(error)](
        { err: error, sessions: changes.length },
        'failed to record sessions; retrying',
      );
      throw error;
    }
  }

  /** Writes the heartbeat of this node and ends the sessions of dead nodes. To be called every three seconds. */
  async beat(): Promise<void> {
    if (this.#isBeating) return;
    this.#isBeating = true;
    try {
      await this.flushed();
      // The other nodes took this one for dead, so its open sessions are recorded again.
      if (await this.#writeHeartbeat())
        for (const connection of this.#open.values()) this.#unrecorded.add(connection, null);
      const now = performance.now();
      const isRegular = now - this.#heartbeatAt < 2 * HEARTBEAT;
      this.#heartbeatAt = now;
      // After a pause of this node or of the database, missing heartbeats of others prove nothing.
      if (!isRegular) return;
      const users = await this.#db.execute<OrphanedUser>(endSessionsOfDeadNodes, [NODE_DEAD_AFTER / 1000]);
      if (users.length > 0) this.#orphaned(users);
      if (now - this.#cleanedAt < CLEANUP_INTERVAL) return;
      this.#cleanedAt = now;
      await deleteOldSessions(this.#db);
    } catch (error) {
      this.#log.debug({ err: error }, 'failed to write heartbeat');
    } finally {
      this.#isBeating = false;
    }
  }

  /** Returns true if the other nodes took this one for dead. */
  async #writeHeartbeat(): Promise<boolean> {
    const isPublished = this.#isPublished?.() ?? false;
    const notes = isPublished || !this.#isPublished;
    if (notes) this.#isPublished = undefined; // until the answer: nobody knows what was noted if it is lost
    const bind = [this.nodeId, isPublished, notes];
    const [row] = await this.#db.execute<{ isNew: boolean }>(heartbeat, bind);
    const isNew = row?.isNew ?? false;
    if (notes || isNew) this.#isPublished = this.#whenPublished();
    return isNew;
  }

  /** Returns a function that returns true once the changes that were committed up to now are published. */
  #whenPublished(): () => boolean {
    let isPublished = () => false;
    void this.#db.unpublished.ended().then(() => {
      isPublished = this.#bus.checkpoint();
    });
    return () => isPublished();
  }

  /** Ends the open sessions, and writes no more heartbeats. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    const now = this.#clock.now();
    for (const connection of this.#open.values()) this.#unrecorded.add(connection, now);
    this.#open.clear();
    await this.flushed().catch(() => {});
  }

  /** Removes this node, which has published everything. Without that, the others find it dead. */
  async leave(): Promise<void> {
    await this.#db.execute(removeNode, [this.nodeId]).catch(() => {});
  }
}
