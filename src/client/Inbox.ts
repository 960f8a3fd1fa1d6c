import { addressOf, chatKey, chatKeyOf, isForOthers } from './chatAddress.ts';
import type { ParleyError } from './errors.ts';
import type { Ask } from './Outbox.ts';
import type { Change, ChatAddress, Push, Result } from './protocol.ts';
import { isPlace, membershipIn, pushOf } from './pushes.ts';

export interface InboxListener {
  /** In the order of `seq` in each chat, without a hole, each once. */
  push(push: Push): void;
  /** The same for what this client did itself. */
  own(push: Push): void;
  /** What catching up found, as it is now. */
  change(change: Change): void;
  /** Changes cannot be reported one by one: everything that was read has to be read again. */
  reset(): void;
  /** A hole cannot be filled: only another connection can mend that. */
  broken(): void;
}

/** A place in a chat that is taken: by a message of somebody else, or of this client. */
interface Arrival {
  readonly key: string;
  readonly seq: number;
  /** Undefined: what is there has to be read, of what this client did, or what was changed before it came. */
  readonly push: Push | undefined;
}

/** How far a chat was told of. */
interface ChatSequence {
  /** Undefined until the first arrival, with which it begins. */
  last?: number;
  /** Places that this client took itself. */
  readonly own: Set<number>;
  /** What waits until a hole is filled. */
  held?: (Arrival | Push)[] | undefined;
}

/** Messages read at once to fill a hole, and changes to catch up. */
const PAGE = 100;
const SYNC_PAGE = 500;
/** Where the next catch-up begins is moved on after so many arrivals, or milliseconds. */
const RENEW_AFTER_ARRIVALS = 500;
const RENEW_AFTER = 5 * 60_000;
/** Milliseconds in which all pushes have come that were on their way when a cursor was read. */
const SETTLED_AFTER = 10_000;

/** Asks over no connection: nothing is answered. */
const NEVER: Ask = () => new Promise(() => {});

/**
 * Puts what comes in order: each chat counts its messages without a gap, so a number that was told already is a
 * repeat, and one that is too high shows a hole, which is read from the server before anything else is told. After
 * a reconnect everything missed comes through `sync` first.
 */
export class Inbox {
  readonly #listener: InboxListener;
  readonly #sequences = new Map<string, ChatSequence>();
  #userId = 0;
  /** What came while catching up. */
  #early: (Arrival | Push)[] | undefined = [];
  #cursor: string | undefined;
  /** True if the last cursor was refused: events up to the present one cannot be reported. */
  #isReset = false;
  /** The cursor is of the present connection, which misses nothing. */
  #isFresh = false;
  /** Milliseconds that the clock of the server is ahead. */
  clockOffset = 0;
  /** For as long as the present connection lasts. */
  #ask = NEVER;
  #arrivals = 0;
  #renewal: ReturnType<typeof setTimeout> | undefined;

  constructor(listener: InboxListener) {
    this.#listener = listener;
  }

  /** Takes a cursor from which to catch up, where there is none. */
  async begin(ask: Ask): Promise<void> {
    if (this.#cursor !== undefined) return;
    await ask('sync', { fromNow: true }, (page) => {
      this.#read(page);
      this.#isFresh = true;
    });
  }

  /** Reads what was missed, and resolves when all was told; what comes meanwhile is told after it. */
  async catchUp(userId: number, ask: Ask): Promise<void> {
    this.#userId = userId;
    this.#ask = ask;
    for (let more = !this.#isFresh; more; ) {
      const cursor = this.#cursor ?? '';
      more = await ask('sync', { cursor, limit: SYNC_PAGE }, (page) => {
        for (const change of page.data) this.#change(change);
        this.#read(page);
        return page.more;
      }).catch((error: ParleyError) => {
        // A cursor that the server does not know any more is of no use the next time either.
        if (error.code === 'BAD_REQUEST') {
          this.#cursor = undefined;
          this.#isReset = true;
        }
        throw error;
      });
    }
    if (this.#isReset) this.#listener.reset();
    this.#isReset = false;
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const item of early) this.#take(item);
    this.#renewLater();
  }

  /** The connection is gone: what was not told yet will be found by catching up. */
  lost(): void {
    this.#early = [];
    this.#isFresh = false;
    this.#ask = NEVER;
    this.#arrivals = 0;
    clearTimeout(this.#renewal);
    for (const thread of this.#sequences.values()) thread.held = undefined;
  }

  /** A push came. */
  push(push: Push): void {
    this.#take(push);
  }

  /** A reply says that this client took a place; without a push it has to be read what is there. */
  own(address: ChatAddress, seq: number, push: Push | undefined): void {
    const arrival = { key: chatKey(address), seq, push };
    this.#sequence(arrival.key).own.add(seq);
    this.#take(arrival);
  }

  /** Nothing more comes of a chat, or everything anew. */
  forget(address: ChatAddress): void {
    this.#sequences.delete(chatKey(address));
  }

  #sequence(key: string): ChatSequence {
    const known = this.#sequences.get(key);
    if (known) return known;
    const thread: ChatSequence = { own: new Set() };
    this.#sequences.set(key, thread);
    return thread;
  }

  #take(item: Arrival | Push): void {
    if (this.#early) {
      this.#early.push(item);
      return;
    }
    const arrival = 'key' in item ? item : this.#arrivalOf(item);
    const key = arrival?.key ?? chatKeyOf((item as Push).params, this.#userId);
    const held = key === undefined ? undefined : this.#sequences.get(key)?.held;
    if (held) held.push(item);
    else if (arrival) this.#place(arrival);
    else this.#listener.push(item as Push);
  }

  #arrivalOf(push: Push): Arrival | undefined {
    const key = chatKeyOf(push.params, this.#userId);
    if (key === undefined || !isPlace(push)) return undefined;
    const { seq } = push.params as { seq: number };
    return { key, seq, push: 'version' in push.params ? undefined : push };
  }

  #place(arrival: Arrival): void {
    const { key, seq, push } = arrival;
    const thread = this.#sequence(key);
    thread.last ??= seq - 1;
    if (seq <= thread.last) return;
    if (seq > thread.last + 1 || !push) {
      thread.held = [arrival];
      void this.#fill(key, thread, push ? seq : seq + 1);
    } else this.#deliver(thread, seq, push);
  }

  #deliver(thread: ChatSequence, seq: number, push: Push): void {
    thread.last = seq;
    if (thread.own.delete(seq)) this.#listener.own(push);
    else this.#listener.push(push);
    if (++this.#arrivals >= RENEW_AFTER_ARRIVALS && !this.#early) void this.#renew();
    // Nothing more comes of the chat, unless that is read which came after it.
    if (!thread.held && membershipIn(push, this.#userId) === 'ends')
      this.#sequences.delete(chatKeyOf(push.params, this.#userId) ?? '');
  }

  /** Reads the messages of a chat before `end` that were not told, then goes on with what was held. */
  async #fill(key: string, thread: ChatSequence, end: number): Promise<void> {
    const ask = this.#ask;
    let more: boolean | undefined = true;
    while (more && (thread.last ?? 0) < end - 1) {
      const bounds = { afterSeq: thread.last ?? 0, beforeSeq: end, limit: PAGE };
      more = await ask('getMessages', { ...addressOf(key), ...bounds }, (page) => {
        for (const message of page.data) this.#deliver(thread, message.seq, pushOf(message));
        return page.more;
      }).catch((error) => (isForOthers(error) ? false : undefined));
      if (ask !== this.#ask) return; // another connection, which catches up by itself
      if (more === undefined) return this.#listener.broken();
    }
    // What cannot be read is not for this user: it was before one came, or after one left.
    thread.last = Math.max(thread.last ?? 0, end - 1);
    const held = thread.held ?? [];
    thread.held = undefined;
    for (const item of held) this.#take(item);
  }

  #change(change: Change): void {
    if (change.kind === 'left') this.forget({ groupId: change.groupId });
    if (change.kind === 'chat') {
      // Fewer messages than were told: the server was set back to an earlier moment, and gives their numbers again.
      const thread = this.#sequences.get(chatKey(change));
      if (thread?.last) thread.last = Math.min(thread.last, change.lastSeq);
    }
    if (change.kind === 'message' && change.isNew) {
      const { message } = change;
      const thread = this.#sequence(chatKeyOf(message, this.#userId) ?? '');
      if (message.seq > (thread.last ?? 0)) this.#deliver(thread, message.seq, pushOf(message));
    }
    this.#listener.change(change);
  }

  #renewLater(): void {
    this.#renewal = setTimeout(() => this.#renew(), RENEW_AFTER);
  }

  /** Moves the cursor on, so that the next catch-up does not begin with what was told long ago. */
  async #renew(): Promise<void> {
    this.#arrivals = Number.NEGATIVE_INFINITY; // one at a time
    clearTimeout(this.#renewal);
    const ask = this.#ask;
    const cursor = await ask('sync', { fromNow: true }, ({ nextCursor }) => nextCursor).catch(() => {});
    if (ask !== this.#ask) return;
    // What was committed before the cursor may still be on its way.
    this.#renewal = setTimeout(() => {
      const isFilling = [...this.#sequences.values()].some(({ held }) => held);
      if (cursor && !isFilling) this.#cursor = cursor;
      this.#arrivals = 0;
      this.#renewLater();
    }, SETTLED_AFTER);
  }

  #read({ nextCursor, time }: Result<'sync'>): void {
    this.#cursor = nextCursor;
    this.clockOffset = Date.parse(time) - Date.now();
  }
}
