import type { Logger } from 'pino';
import type { Database } from '../database/database.ts';
import { isPassing, violatedConstraint } from '../database/failures.ts';
import { IndexingSchedule } from './IndexingSchedule.ts';
import { indexNewMessages, renewOldEntries, type Work } from './indexMessages.ts';
import { makeSegments } from './segments.ts';

/** Entries of before that are made anew by one transaction, which keeps their messages from being changed meanwhile. */
const RENEWED = 100;
/** Segments that are made by one transaction, of 64 messages each. */
const SEGMENTS = 16;
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

  constructor(db: Database, log: Logger) {
    this.#db = db;
    this.#log = log;
    this.#runAfter(PAUSE);
  }

  /** Ids of messages from the newest back to what is surely indexed. */
  get lag(): number {
    return this.#lag;
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
    try {
      rest = await this.#work();
    } catch (error) {
      // An edit wrote the entry of a message at the same time: next time it is there.
      const isThere = violatedConstraint(error) === 'message_search_pkey';
      if (!isThere && !isPassing(error)) this.#log.error({ err: error }, 'messages could not be indexed');
    }
    this.#runAfter(rest);
  }

  /** Works off a slice; resolves to the milliseconds to rest. */
  async #work(): Promise<number> {
    const start = performance.now();
    const { slice } = this.#schedule;
    const state = await indexNewMessages(this.#db, slice, this.#notedBy);
    this.#lag = state.lag;
    this.#schedule.look(state.newest, start);
    const isLeftToOthers =
      state.isOver === null && this.#notedBy !== undefined && this.#notedBy !== state.notedBy;
    this.#notedBy = state.notedBy;
    if (isLeftToOthers) return LEFT_TO_OTHERS;
    const isFull =
      state.count === slice ||
      (state.hasOld && (await this.#count(renewOldEntries(this.#db, RENEWED))) === RENEWED) ||
      (state.hasNewSegments && (await this.#count(makeSegments(this.#db, SEGMENTS))) === SEGMENTS);
    return isFull ? this.#schedule.restAfter(performance.now() - start) : PAUSE;
  }

  async #count(work: Promise<Work>): Promise<number> {
    const { count, notedBy } = await work;
    this.#notedBy = notedBy ?? this.#notedBy;
    return count;
  }
}
