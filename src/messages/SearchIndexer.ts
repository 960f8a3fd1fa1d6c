import type { Logger } from 'pino';
import type { Database } from '../database/database.ts';
import { isTransient, violatedConstraint } from '../database/failures.ts';
import { IndexingSchedule } from './IndexingSchedule.ts';
import { type Indexed, indexNewMessages, renewOldEntries, type Work } from './indexMessages.ts';
import { StallWatch } from './StallWatch.ts';
import { makeFilters, mergeChangedEntries } from './searchFilters.ts';
import { oldestTransaction } from './searchIndex.sql.ts';

/** Old entries that are rewritten per transaction, which locks their messages. */
const RENEWED = 100;
/**
 * Chats whose next filters are made per transaction: many if there are few messages of each, or few if the index is far
 * behind and there may be many messages of each. And changed entries added to their filters per transaction.
 */
const FILTERED_CHATS = 256;
const FILTERED_CHATS_BEHIND = 64;
const CHANGED = 128;
/** Messages without a filter from which filters are made, and from which they take precedence over indexing. */
const FILTERED_AT_ONCE = 2_000;
const FILTERED_FIRST = 10_000;
/** Milliseconds between two checks for new messages, and between checks while another node is working. */
const PAUSE = 200;
const OTHER_NODE_PAUSE = 1_000;

/**
 * Adds new messages to the search index, asynchronously to the send path: a slice at a time, with pauses that are left
 * to senders ({@link IndexingSchedule}). Any number of nodes may run it: one works until it stops, then another one.
 */
export class SearchIndexer {
  readonly #db: Database;
  readonly #log: Logger;
  readonly #schedule = new IndexingSchedule();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #closed = false;
  #lag = 0;
  /** The transaction that last recorded progress, as far as this node knows. */
  #notedBy: string | undefined;
  /** All messages up to this one that were visible at the last check have their entry. */
  #taken = 0;
  readonly #stall = new StallWatch(performance.now());

  constructor(db: Database, log: Logger) {
    this.#db = db;
    this.#log = log;
    this.#runAfter(PAUSE);
  }

  /** Number of ids between the newest message and the last one that is certainly indexed. */
  get lag(): number {
    return this.#lag;
  }

  /** Seconds without progress although there is work or checks fail. */
  get stalledSeconds(): number {
    return Math.round(this.#stall.stalledFor(performance.now()) / 1_000);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #runAfter(ms: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#running = this.#run();
    }, ms).unref();
  }

  async #run(): Promise<void> {
    let rest = PAUSE;
    let fault: unknown;
    try {
      rest = await this.#work();
    } catch (error) {
      fault = error;
      this.#taken = 0;
      this.#stall.fail();
      // An edit wrote the entry of a message at the same time; the next run finds it.
      const hasEntry = violatedConstraint(error) === 'message_search_pkey';
      if (!hasEntry && !isTransient(error)) this.#log.error({ err: error }, 'failed to index messages');
    }
    if (this.#stall.shouldWarn(performance.now())) await this.#warn(fault);
    this.#runAfter(rest);
  }

  /** Processes a slice; resolves to the milliseconds to pause. */
  async #work(): Promise<number> {
    const start = performance.now();
    const { slice } = this.#schedule;
    const state = await indexNewMessages(this.#db, slice, this.#notedBy, this.#taken);
    this.#lag = state.lag;
    this.#schedule.record(state.newest, start);
    if (this.#stall.record(state.newest - state.lag, state.lag > 0, start))
      this.#log.info({ lag: state.lag }, 'search index resumed');
    const isOtherNodeWorking =
      state.isOver === null && this.#notedBy !== undefined && this.#notedBy !== state.notedBy;
    this.#notedBy = state.notedBy;
    if (isOtherNodeWorking) return OTHER_NODE_PAUSE;
    if (state.isOver !== null) this.#taken = state.taken;
    const indexed = performance.now();
    const isFull = await this.#workOn(state, state.last !== null);
    // The work after the entries does not block senders and may take half of the time.
    return isFull ? this.#schedule.restAfter(indexed - start) + performance.now() - indexed : PAUSE;
  }

  /** Does the other pending work; resolves to true if there is more. */
  async #workOn({ hasOld, hasChanged, filterLag }: Indexed, isFull: boolean): Promise<boolean> {
    if (isFull && filterLag < FILTERED_FIRST) return true;
    if (hasOld && !isFull) return (await this.#note(renewOldEntries(this.#db, RENEWED))) === RENEWED;
    if (hasChanged && (await this.#note(mergeChangedEntries(this.#db, CHANGED))) === CHANGED) return true;
    if (filterLag < FILTERED_AT_ONCE) return isFull;
    const chats = filterLag < FILTERED_FIRST ? FILTERED_CHATS : FILTERED_CHATS_BEHIND;
    return (await this.#note(makeFilters(this.#db, chats))) > 0 || isFull;
  }

  async #note(work: Promise<Work>): Promise<number> {
    const { count, notedBy } = await work;
    this.#notedBy = notedBy ?? this.#notedBy;
    return count;
  }

  /** Logs why the index makes no progress: a fault, or a transaction that may still write messages with lower ids. */
  async #warn(fault: unknown): Promise<void> {
    const [oldest] = await this.#db.reads.query(oldestTransaction, []).catch(() => []);
    this.#log.warn(
      { seconds: this.stalledSeconds, lag: this.#lag, oldest, err: fault },
      'search index stalled',
    );
  }
}
