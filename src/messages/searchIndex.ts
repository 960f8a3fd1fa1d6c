import type { Logger } from 'pino';
import type { Database } from '../database/database.ts';
import { isPassing, violatedConstraint } from '../database/failures.ts';
import { indexNewMessages, makeSegments, renewOldEntries } from './indexMessages.ts';
import { progress } from './searchIndex.sql.ts';

/** Messages taken into the index by one transaction. */
const CHUNK = 500;
/** Entries of before that are made anew by one transaction, which keeps their messages from being changed meanwhile. */
const RENEWED = 100;
/** Segments that are made by one transaction, of 64 messages each. */
const SEGMENTS = 16;
/** Milliseconds between two looks for new messages. */
const PAUSE = 200;
/** Messages per second from which on their senders come first. */
const BUSY = 2_000;
/** The rest after a chunk, as a multiple of what it took, while it is calm and while it is busy. */
const REST = { calm: 1, busy: 50 };

/**
 * Takes new messages into the search index, behind the send path: a chunk at a time, and hardly any while messages
 * flood in; the rest is caught up with when it is calm again. Any number of nodes may run it; one works at a time.
 */
export class SearchIndexer {
  readonly #db: Database;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #closed = false;
  #lag = 0;
  #last = { id: 0, at: 0 };

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
    const [state] = await this.#db.select<Progress>(progress, []);
    if (!state) return PAUSE;
    this.#lag = state.lag;
    const pace = this.#rate(state.newest) > BUSY ? REST.busy : REST.calm;
    const db = this.#db;
    const isFull =
      (state.isBehind && (await indexNewMessages(db, state.newest, CHUNK)) === CHUNK) ||
      (state.hasOld && (await renewOldEntries(db, RENEWED)) === RENEWED) ||
      (state.hasNewSegments && (await makeSegments(db, SEGMENTS)) === SEGMENTS);
    return isFull ? (performance.now() - start) * pace : PAUSE;
  }

  /** Messages per second on all nodes, since the last look. */
  #rate(newest: number): number {
    const { id, at } = this.#last;
    this.#last = { id: newest, at: performance.now() };
    return (newest - id) / ((this.#last.at - at) / 1000);
  }
}

interface Progress {
  readonly newest: number;
  readonly lag: number;
  readonly isBehind: boolean;
  /** There may be entries that another version of the fold has made. */
  readonly hasOld: boolean;
  readonly hasNewSegments: boolean;
}
