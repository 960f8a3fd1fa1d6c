import type { ChatSequence, Deliver } from './ChatSequence.ts';
import type { Ask } from './calls.ts';
import { addressOf, isForOthers } from './chatAddress.ts';
import type { ParleyError } from './errors.ts';
import { Inbox } from './Inbox.ts';
import type { Change, Result } from './protocol.ts';
import { isPlace, pushOf } from './pushes.ts';

export interface SynchroniserListener {
  readonly deliver: Deliver;
  /** Receives what catching up found, in its present state. */
  change(change: Change): void;
  /** Reports that changes are missing which cannot be reported one by one: everything has to be read again. */
  reset(): void;
  /** Reports that a gap cannot be filled over this connection. */
  broken(): void;
}

/** Messages per request that fills a gap, and changes per request that catches up. */
const PAGE = 100;
const SYNC_PAGE = 500;
/** The cursor is renewed after so many messages, or milliseconds. */
const RENEW_AFTER_MESSAGES = 500;
const RENEW_AFTER = 5 * 60_000;
/** Milliseconds within which the pushes arrive that were on their way when a cursor was read. */
const SETTLED_AFTER = 10_000;

const NEVER: Ask = () => new Promise(() => {});

/** Sends the requests of an {@link Inbox}: catches up with `sync` after each connect, and fills gaps. */
export class Synchroniser {
  readonly inbox: Inbox;
  readonly #listener: SynchroniserListener;
  #cursor: string | undefined;
  /** True if the last cursor was refused: changes up to the present one cannot be reported. */
  #isReset = false;
  /** True if the cursor is of the present connection, which has missed nothing. */
  #isFresh = false;
  /** Milliseconds that the clock of the server is ahead. */
  #clockOffset = 0;
  /** Sends over the present connection; a request that comes back when this is another one is of the last. */
  #ask = NEVER;
  /** Gaps that are being filled. */
  #fills = 0;
  /** Messages delivered since the cursor was renewed; none are counted while that is under way. */
  #messages = Number.NEGATIVE_INFINITY;
  #renewal: ReturnType<typeof setTimeout> | undefined;

  /** `self` returns the id of this user. */
  constructor(self: () => number, listener: SynchroniserListener) {
    this.#listener = listener;
    this.inbox = new Inbox(
      self,
      (push, isOwn) => {
        if (isPlace(push) && ++this.#messages >= RENEW_AFTER_MESSAGES) void this.#renew();
        listener.deliver(push, isOwn);
      },
      (sequence) => this.#fill(sequence),
    );
  }

  /** See {@link Client.now}. */
  now(): number {
    return Date.now() + this.#clockOffset;
  }

  /** Reads a cursor to catch up from, unless there is one. */
  async begin(ask: Ask): Promise<void> {
    if (this.#cursor !== undefined) return;
    await ask('sync', { fromNow: true }, (page) => {
      this.#read(page);
      this.#isFresh = true;
    });
  }

  /** Reads and delivers what was missed, then what has arrived since. */
  async catchUp(ask: Ask): Promise<void> {
    this.#ask = ask;
    for (let more = !this.#isFresh; more; ) {
      const cursor = this.#cursor ?? '';
      more = await ask('sync', { cursor, limit: SYNC_PAGE }, (page) => {
        for (const change of page.data) {
          this.inbox.change(change);
          this.#listener.change(change);
        }
        this.#read(page);
        return page.more;
      }).catch((error: ParleyError) => {
        // A cursor that the server has forgotten is of no use the next time either.
        if (error.code === 'BAD_REQUEST') {
          this.#cursor = undefined;
          this.#isReset = true;
        }
        throw error;
      });
    }
    if (this.#isReset) this.#listener.reset();
    this.#isReset = false;
    this.inbox.resume();
    this.#renewLater();
  }

  /** Ends the requests of a connection that was lost. */
  lost(): void {
    this.inbox.pause();
    this.#isFresh = false;
    this.#fills = 0;
    this.#ask = NEVER;
    this.#messages = Number.NEGATIVE_INFINITY;
    clearTimeout(this.#renewal);
  }

  async #fill(sequence: ChatSequence): Promise<void> {
    const ask = this.#ask;
    this.#fills++;
    for (let more: boolean | undefined = true; more && sequence.gap; ) {
      const range = { ...addressOf(sequence.key), ...sequence.gap, limit: PAGE };
      more = await ask('getMessages', range, (page) => {
        for (const message of page.data) sequence.deliver(pushOf(message));
        return page.more;
      }).catch((error) => (isForOthers(error) ? false : undefined));
      if (ask !== this.#ask) return;
      if (more === undefined) return this.#listener.broken();
    }
    this.inbox.release(sequence);
    this.#fills--;
  }

  #renewLater(): void {
    this.#messages = 0;
    this.#renewal = setTimeout(() => this.#renew(), RENEW_AFTER);
  }

  /** Moves the cursor on, so that the next catch-up does not begin with what was delivered long ago. */
  async #renew(): Promise<void> {
    this.#messages = Number.NEGATIVE_INFINITY; // one at a time
    clearTimeout(this.#renewal);
    const ask = this.#ask;
    const cursor = await ask('sync', { fromNow: true }, ({ nextCursor }) => nextCursor).catch(() => {});
    if (ask !== this.#ask) return;
    // Pushes of what was committed before the cursor may still be on their way.
    this.#renewal = setTimeout(() => {
      if (cursor && !this.#fills) this.#cursor = cursor;
      this.#renewLater();
    }, SETTLED_AFTER);
  }

  #read({ nextCursor, time }: Result<'sync'>): void {
    this.#cursor = nextCursor;
    this.#clockOffset = Date.parse(time) - Date.now();
  }
}
