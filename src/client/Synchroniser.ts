import type { ChatSequence, Deliver } from './ChatSequence.ts';
import type { SendRequest } from './calls.ts';
import { addressOf, isNotMember } from './chatAddress.ts';
import type { ParleyError } from './errors.ts';
import { Inbox } from './Inbox.ts';
import type { Change, Result } from './protocol.ts';
import { isMessage, pushOf } from './pushes.ts';

/** Receives the results of a synchroniser. */
export interface SynchroniserListener {
  readonly deliver: Deliver;
  /** Receives a change that a catch-up found, in its present state. */
  change(change: Change): void;
  /** Reports that missed changes are unknown: everything has to be read again. */
  reset(): void;
  /** Reports that a gap cannot be filled over this connection. */
  broken(): void;
}

/** Messages per request that fills a gap, and changes per request that catches up. */
const PAGE = 100;
const SYNC_PAGE = 500;
/** Messages, or milliseconds, after which the cursor is renewed. */
const RENEW_AFTER_MESSAGES = 500;
const RENEW_AFTER = 5 * 60_000;
/**
 * Milliseconds within which a change from before a cursor arrives, or the connection ends: a node finds within a minute
 * what was not published to it, and the client in less that its connection is dead.
 */
export const SETTLED_AFTER = 90_000;

/** The request function between two connections. */
const NEVER: SendRequest = () => new Promise(() => {});

/** Sends the requests of an {@link Inbox}: catches up with `sync` after each connect, and fills gaps. */
export class Synchroniser {
  readonly inbox: Inbox;
  readonly #listener: SynchroniserListener;
  #cursor: string | undefined;
  /** True if the last cursor was refused: the changes up to the present one are unknown. */
  #isReset = false;
  /** True if the cursor is that of a page with more behind it. */
  #isPartial = false;
  /** True if the cursor was read over the present connection, which has missed nothing since. */
  #isFresh = false;
  /** Milliseconds that the clock of the server is ahead. */
  #clockOffset = 0;
  /** Sends over the present connection. A request that ends when this is another function was of an earlier connection. */
  #request = NEVER;
  /** The number of gaps that are being filled. */
  #fills = 0;
  /** The number of messages delivered since the cursor was renewed; minus infinity while none are counted. */
  #messages = Number.NEGATIVE_INFINITY;
  #renewal: ReturnType<typeof setTimeout> | undefined;

  /** `self` returns the id of this user, which is known before anything is delivered. */
  constructor(self: () => number, listener: SynchroniserListener) {
    this.#listener = listener;
    this.inbox = new Inbox(
      self,
      (push, isOwn) => {
        if (isMessage(push) && ++this.#messages >= RENEW_AFTER_MESSAGES) void this.#renew();
        listener.deliver(push, isOwn);
      },
      (sequence) => this.#fill(sequence),
    );
  }

  /** Returns the time of the server's clock, as far as it is known, in milliseconds since 1970. */
  now(): number {
    return Date.now() + this.#clockOffset;
  }

  /** Reads a cursor to catch up from, unless there is one. */
  async begin(request: SendRequest): Promise<void> {
    if (this.#cursor !== undefined) return;
    await request('sync', { fromNow: true }, (page) => {
      this.#read(page);
      this.#isFresh = true;
    });
  }

  /** Reads and delivers what was missed, then what has arrived since. */
  async catchUp(request: SendRequest): Promise<void> {
    this.#request = request;
    // The last page behind one of an earlier connection ends with the state of that time.
    let isOld = this.#isPartial;
    for (let more = !this.#isFresh; more; ) {
      const cursor = this.#cursor ?? '';
      const isPartial = await request('sync', { cursor, limit: SYNC_PAGE }, (page) => {
        for (const change of page.data) {
          this.inbox.change(change);
          this.#listener.change(change);
        }
        this.#read(page);
        return page.more;
      }).catch((error: ParleyError) => {
        // The server would refuse it the next time, too.
        if (error.code === 'BAD_REQUEST') {
          this.#cursor = undefined;
          this.#isReset = true;
        }
        throw error;
      });
      more = isPartial || isOld;
      isOld &&= isPartial;
    }
    if (this.#isReset) this.#listener.reset();
    this.#isReset = false;
    this.inbox.resume();
    if (request === this.#request) this.#renewLater();
  }

  /** Drops everything that belongs to the connection that was lost. */
  lost(): void {
    this.inbox.pause();
    this.#isFresh = false;
    this.#fills = 0;
    this.#request = NEVER;
    this.#messages = Number.NEGATIVE_INFINITY;
    clearTimeout(this.#renewal);
  }

  /** Reads the messages of a gap. Those that the server refuses are not for this user, and are skipped. */
  async #fill(sequence: ChatSequence): Promise<void> {
    const request = this.#request;
    this.#fills++;
    for (let more: boolean | undefined = true; more && sequence.gap; ) {
      const range = { ...addressOf(sequence.key), ...sequence.gap, limit: PAGE };
      more = await request('getMessages', range, (page) => {
        for (const message of page.data) sequence.deliver(pushOf(message));
        return page.more;
      }).catch((error) => (isNotMember(error) ? false : undefined));
      if (request !== this.#request) return;
      if (more === undefined) return this.#listener.broken();
    }
    this.inbox.release(sequence);
    this.#fills--;
  }

  #renewLater(): void {
    this.#messages = 0;
    this.#renewal = setTimeout(() => this.#renew(), RENEW_AFTER);
  }

  /** Renews the cursor, so that the next catch-up does not return what was delivered long ago. */
  async #renew(): Promise<void> {
    this.#messages = Number.NEGATIVE_INFINITY; // one at a time
    clearTimeout(this.#renewal);
    const request = this.#request;
    const cursor = await request('sync', { fromNow: true }, ({ nextCursor }) => nextCursor).catch(() => {});
    if (request !== this.#request) return;
    // Pushes of changes before the cursor may still be to come.
    this.#renewal = setTimeout(() => {
      if (cursor && !this.#fills) this.#cursor = cursor;
      this.#renewLater();
    }, SETTLED_AFTER);
  }

  #read({ nextCursor, more, time }: Result<'sync'>): void {
    this.#cursor = nextCursor;
    this.#isPartial = more;
    this.#clockOffset = Date.parse(time) - Date.now();
  }
}
