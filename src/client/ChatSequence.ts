import type { Push } from './protocol.ts';

/** A push of a chat, or the reply to a command of this client that took a `seq` in it. */
export interface Arrival {
  readonly key: string;
  /** Missing for a push about something that is there already. */
  readonly seq?: number | undefined;
  /** Undefined if the message has to be read: its text is not known, or it has changed since. */
  readonly push: Push | undefined;
}

/** A range of messages to read from the server, as `getMessages` takes it. */
export interface Gap {
  readonly afterSeq: number;
  readonly beforeSeq: number;
}

/**
 * Receives the pushes, and the messages of this client: in each chat in the order of `seq`, without a gap, each once.
 */
export type Deliver = (push: Push, isOwn?: boolean) => void;

/**
 * Orders what arrives in one chat. Each message has the `seq` after that of the one before, so a lower one is a repeat,
 * and a higher one shows a gap: it is held, with everything behind it, until the gap is filled from the server.
 *
 *   sequence.take({ seq: 7, … }); // delivered: the sequence begins with the first arrival
 *   sequence.take({ seq: 9, … }); // held; returns true, and `gap` is { afterSeq: 7, beforeSeq: 9 }
 *   sequence.deliver(push);       // the message that was read
 *   sequence.release();           // returns what was held, to be taken again
 */
export class ChatSequence {
  readonly key: string;
  readonly #listener: Deliver;
  /** The `seq` delivered last; 0 until the first arrival. */
  #last = 0;
  /** Those that this client took itself, and that are still to be delivered. */
  readonly #own = new Set<number>();
  /** The `seq` at which the gap ends. */
  #end = 0;
  #held: Arrival[] | undefined;

  constructor(key: string, listener: Deliver) {
    this.key = key;
    this.#listener = listener;
  }

  /** Returns true from the first arrival that is held until {@link release} or {@link drop}. */
  get isHeld(): boolean {
    return this.#held !== undefined;
  }

  /** Returns the messages that are missing before what is held; undefined if there are none. */
  get gap(): Gap | undefined {
    return this.#last < this.#end - 1 ? { afterSeq: this.#last, beforeSeq: this.#end } : undefined;
  }

  /** Marks a `seq` as taken by this client. */
  own(seq: number): void {
    this.#own.add(seq);
  }

  /** Delivers an arrival, drops a repeat, or holds it. Returns true if a gap begins with it, which has to be filled. */
  take(arrival: Arrival): boolean {
    const { seq, push } = arrival;
    if (this.#held) this.#held.push(arrival);
    else if (seq) {
      this.#last ||= seq - 1;
      if (push && seq === this.#last + 1) this.deliver(push);
      else if (seq > this.#last) {
        this.#held = [arrival];
        this.#end = push ? seq : seq + 1;
        return true;
      }
    } else if (push) this.#listener(push);
    return false;
  }

  /** Delivers a message, unless it was delivered before. */
  deliver(push: Push): void {
    const { seq } = push.params as { seq: number };
    if (seq <= this.#last) return;
    this.#last = seq;
    this.#listener(push, this.#own.delete(seq));
  }

  /** Skips what of the gap could not be read. Returns what was held, in the order of its arrival. */
  release(): readonly Arrival[] {
    const held = this.#held ?? [];
    this.#last = Math.max(this.#last, this.#end - 1);
    this.drop();
    return held;
  }

  /** Drops what is held. */
  drop(): void {
    this.#held = undefined;
  }

  /** Takes note that the server has messages up to `seq` only: it was set back, and gives later numbers again. */
  truncate(seq: number): void {
    this.#last = Math.min(this.#last, seq);
  }
}
