import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import type { NodeDeath } from '../bus/outbox.ts';
import type { Database } from '../database/database.ts';
import { levelOf } from '../database/failures.ts';
import type { ChatId, UserId } from '../ids.ts';
import type { MessageDraft } from '../messages/drafts.ts';
import { Comparison } from './Comparison.ts';
import type { Connection } from './Connection.ts';
import type { Connections } from './Connections.ts';
import { usersWithChanges, usersWithNotices } from './reconcile.sql.ts';
import { takeSlice, type UserConnections } from './slices.ts';
import { UnknownOutcomes } from './UnknownOutcomes.ts';

/** Milliseconds between two rounds, random so that nodes do not ask at the same time. */
const ROUND = { min: 30_000, max: 60_000 };
/** Milliseconds between two slices when nothing is known to be wrong. */
const SLICE_PAUSE = 50;
/** Milliseconds before a comparison that failed is tried again. */
const RETRY = 1_000;

/**
 * Compares the live connections of a node (tokens, memberships, heads of chats, blocks) with the database, and repairs
 * what differs. It is a net below the messages between nodes: it finds whatever was lost, by a fault of NATS, of the
 * database or of a node.
 */
export class Reconciler {
  readonly #db: Database;
  readonly #connections: Connections;
  readonly #log: Logger;
  readonly #interval: { readonly min: number; readonly max: number };
  readonly #comparison: Comparison;
  readonly #unknownOutcomes: UnknownOutcomes;
  readonly #closed = new AbortController();
  /** Users whose connections are to be compared before the next round. */
  readonly #users = new Set<UserId>();
  /** Nodes that died, whose last changes are to be found. */
  readonly #deaths: NodeDeath[] = [];
  /** Time of the database at which the last complete round began: older messages were compared. */
  #since: string | null = null;
  #isUrgent = false;
  #wake = () => {};

  constructor(db: Database, bus: Bus, connections: Connections, log: Logger, interval = ROUND) {
    this.#db = db;
    this.#connections = connections;
    this.#log = log;
    this.#interval = interval;
    this.#comparison = new Comparison(db, bus, connections, this.#users);
    this.#unknownOutcomes = new UnknownOutcomes(db, bus, log, this.#closed.signal);
    void this.#run();
  }

  /** Compares all connections now, and again until that has succeeded. */
  all(): void {
    this.#isUrgent = true;
    this.#wake();
  }

  /** Compares those of one user now, and again until that has succeeded. */
  user(userId: UserId): void {
    this.#users.add(userId);
    this.#wake();
  }

  /** Has the clients synchronise to which a node that died may not have pushed its last changes. */
  nodeDied(death: NodeDeath): void {
    this.#deaths.push(death);
    this.#wake();
  }

  /** Publishes those messages of unknown outcome that were committed. */
  messages(drafts: readonly MessageDraft[], chatIds: readonly (ChatId | null)[]): void {
    this.#unknownOutcomes.add(drafts, chatIds);
  }

  close(): void {
    this.#closed.abort();
    this.#wake();
  }

  get #isClosed(): boolean {
    return this.#closed.signal.aborted;
  }

  async #run(): Promise<void> {
    const { min, max } = this.#interval;
    let nextRound = performance.now() + min;
    while (!this.#isClosed) {
      const isDue = this.#isUrgent || performance.now() >= nextRound;
      try {
        if (isDue) {
          const next = performance.now() + min + Math.random() * (max - min);
          await this.#round();
          nextRound = next;
        } else if (this.#deaths[0]) await this.#resynchroniseAfter(this.#deaths[0]);
        else if (this.#users.size > 0) await this.#compareRequested();
        else await this.#pause(nextRound - performance.now());
      } catch (error) {
        if (this.#isClosed) return;
        this.#log[levelOf(error)]({ err: error }, 'connections not compared with the database; trying again');
        this.#isUrgent ||= isDue;
        await this.#pause(RETRY, false);
      }
    }
  }

  /** Waits; with `canWake`, no longer than until somebody requests a comparison. */
  async #pause(milliseconds: number, canWake = true): Promise<void> {
    const ended = new AbortController();
    this.#wake = canWake ? () => ended.abort() : () => {};
    if (this.#isClosed) return;
    await delay(Math.max(0, milliseconds), undefined, { signal: ended.signal, ref: false }).catch(() => {});
    this.#wake = () => {};
  }

  /** Closes the connections of users with changes that nobody may have pushed, and of those who watch such users. */
  async #resynchroniseAfter({ since, until }: NodeDeath): Promise<void> {
    const affected: Connection[] = [];
    const notices = await this.#db.query<{ userId: UserId }>(usersWithNotices, [since]);
    const noticed = notices.map(({ userId }) => userId);
    const all = this.#connections.following();
    for (let slice = takeSlice(all); slice.length > 0; slice = takeSlice(all)) {
      const asked = slice.map(([id, [oldest]]) => ({ id, snapshot: oldest?.snapshot }));
      const bind = [JSON.stringify(asked), since, until, noticed];
      for (const { userId } of await this.#db.query<{ userId: UserId }>(usersWithChanges, bind))
        affected.push(...this.#connections.ofUser(userId));
      for (const connection of slice.flatMap(([, own]) => own))
        if (noticed.some((userId) => connection.watching?.watched.has(userId))) affected.push(connection);
    }
    this.#deaths.shift();
    this.#log.warn({ connections: new Set(affected).size }, 'a node died; asking clients to synchronise');
    this.#connections.resynchronise(
      affected,
      'A node died before it pushed changes; reconnect and synchronise',
    );
  }

  async #compareRequested(): Promise<void> {
    const requested = [...this.#users];
    this.#users.clear();
    try {
      const all = requested
        .map((userId): UserConnections => [userId, this.#connections.ofUser(userId)])
        .values();
      for (let slice = takeSlice(all); slice.length > 0; slice = takeSlice(all))
        await this.#comparison.run(slice, this.#since);
    } catch (error) {
      for (const userId of requested) this.#users.add(userId);
      throw error;
    }
  }

  async #round(): Promise<void> {
    const wasUrgent = this.#isUrgent;
    this.#isUrgent = false;
    const [now] = await this.#db.query<{ at: string }>('select clock_timestamp()::text as at', []);
    // Not all at once, which takes long where they are many; connections that open in the meantime are among them.
    const all = this.#connections.following();
    for (let slice = takeSlice(all); slice.length > 0 && !this.#isClosed; slice = takeSlice(all)) {
      if (this.#users.size > 0) await this.#compareRequested(); // without waiting for the round
      await this.#comparison.run(slice, this.#since);
      if (!wasUrgent && !this.#isUrgent) await this.#pause(SLICE_PAUSE, false);
    }
    this.#since = now?.at ?? null;
  }
}
