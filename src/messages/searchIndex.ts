import type { Logger } from 'pino';
import type { Database } from '../database/database.ts';
import { isTransient, violatedConstraint } from '../database/failures.ts';
import { IndexingSchedule } from './IndexingSchedule.ts';
import { type Indexed, indexNewMessages, renewOldEntries, type Work } from './indexMessages.ts';
import { StallWatch } from './StallWatch.ts';
import { makeFilters, mergeChangedEntries } from './searchFilters.ts';
import { oldestTransaction } from './searchIndex.sql.ts';

/** Entries of before that are made anew by one transaction, which keeps their messages from being changed meanwhile. */
const RENEWED = 100;
/**
 * Chats whose next filters are made by one transaction: many of whom there are few messages, or few where there may be many
 * of each, since the index is far behind. And changed entries that are added to their filters at once.
 */
const FILTERED_CHATS = 256;
const FILTERED_CHATS_BEHIND = 64;
const CHANGED = 128;
/** Messages from which on filters are made of them, and from which on those are made before other messages are indexed. */
const FILTERED_AT_ONCE = 2_000;
const FILTERED_FIRST = 10_000;
/** Milliseconds between two looks for new messages, and while another node works. */
const PAUSE = 200;
const LEFT_TO_OTHERS = 1_000;

/**
 * Takes new messages into the search index, behind the send path: a slice at a time, with rests in which those who send
 * are alone ({@link IndexingSchedule}). Any number of nodes may run it: one works, until it does not any more.
 */
export class SearchIndexer {
  readonly #db: Database;
  readonly #log: Logger;
  readonly #schedule = new IndexingSchedule();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #closed = false;
  #lag = 0;
  /** The transaction that had last noted what it did when this node looked, or did so itself. */
  #notedBy: string | undefined;
  /** All messages up to this one that could be seen when this node looked have their entry. */
  #taken = 0;
  readonly #stall = new StallWatch(performance.now());

  constructor(db: Database, log: Logger) {
    this.#db = db;
    this.#log = log;
    this.#runAfter(PAUSE);
  }

  /** Ids of messages from the newest back to what is surely indexed. */
  get lag(): number {
    return this.#lag;
  }

  /** Seconds for which nothing was settled though there is something, or nobody could look. */
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
      // An edit wrote the entry of a message at the same time: next time it is there.
      const isThere = violatedConstraint(error) === 'message_search_pkey';
      if (!isThere && !isTransient(error)) this.#log.error({ err: error }, 'messages could not be indexed');
    }
    if (this.#stall.isToBeSaid(performance.now())) await this.#warn(fault);
    this.#runAfter(rest);
  }

  /** Works off a slice; resolves to the milliseconds to rest. */
  async #work(): Promise<number> {
    const start = performance.now();
    const { slice } = this.#schedule;
    const state = await indexNewMessages(this.#db, slice, this.#notedBy, this.#taken);
    this.#lag = state.lag;
    this.#schedule.look(state.newest, start);
    if (this.#stall.look(state.newest - state.lag, state.lag > 0, start))
      this.#log.info({ lag: state.lag }, 'the search index goes on');
    const isLeftToOthers =
      state.isOver === null && this.#notedBy !== undefined && this.#notedBy !== state.notedBy;
    this.#notedBy = state.notedBy;
    if (isLeftToOthers) return LEFT_TO_OTHERS;
    if (state.isOver !== null) this.#taken = state.taken;
    const indexed = performance.now();
    const isFull = await this.#workOn(state, state.last !== null);
    // What comes behind the entries keeps no sender from writing, and may take half of the time.
    return isFull ? this.#schedule.restAfter(indexed - start) + performance.now() - indexed : PAUSE;
  }

  /** Does what else there is to do; resolves to true if there is more. */
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

  /** Says why the index stands still: a fault, or a transaction that may still write messages with lower ids. */
  async #warn(fault: unknown): Promise<void> {
    const [oldest] = await this.#db.reads.query(oldestTransaction, []).catch(() => []);
    this.#log.warn(
      { seconds: this.stalledSeconds, lag: this.#lag, oldest, err: fault },
      'the search index stands still',
    );
  }
}
