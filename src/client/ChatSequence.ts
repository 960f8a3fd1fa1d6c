import type { Push } from './protocol.ts';

/** A push of a chat, or the reply to a command of this client that got a `seq` in it. */
export interface Arrival {
  readonly key: string;
  /** Missing if the push is about an existing message, or about the chat. */
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
 * Receives the pushes and the messages of this client (`isOwn`): in each chat in the order of `seq`, without a gap, each
 * once.
 */
export type Deliver = (push: Push, isOwn?: boolean) => void;

/**
 * Orders the arrivals of one chat. Each message has the `seq` after that of the one before. So a lower one is a repeat,
 * and a higher one shows a gap: it is held, with everything behind it, until the gap is filled from the server.
 *
 *   sequence.take({ seq: 7, … }); // delivered: the sequence begins with the first arrival
 *   sequence.take({ seq: 9, … }); // held; returns true, and `gap` is { afterSeq: 7, beforeSeq: 9 }
 *   sequence.deliver(push);       // the message that was read
 *   sequence.release();           // returns the held arrivals, which are to be taken again
 */
export class ChatSequence {
  readonly key: string;
  readonly #listener: Deliver;
  /** The `seq` that was delivered last; -1 until the first arrival, after which it may be 0. */
  #last = -1;
  /** Each `seq` of a message of this client that is still to be delivered. */
  readonly #own = new Set<number>();
  /** The `seq` before which the gap ends. */
  #end = 0;
  #held: Arrival[] | undefined;

  constructor(key: string, listener: Deliver) {
    this.key = key;
    this.#listener = listener;
  }

  /** Returns true from the first held arrival until {@link release} or {@link drop}. */
  get isHeld(): boolean {
    return this.#held !== undefined;
  }

  /** Returns the range of the messages that are missing before the held ones; undefined if there are none. */
  get gap(): Gap | undefined {
    return this.#last < this.#end - 1 ? { afterSeq: this.#last, beforeSeq: this.#end } : undefined;
  }

  /** Marks the message with a `seq` as one of this client. */
  own(seq: number): void {
    this.#own.add(seq);
  }

  /** Delivers an arrival, drops a repeat, or holds it. Returns true if a gap begins with it, which has to be filled. */
  take(arrival: Arrival): boolean {
    const { seq, push } = arrival;
    if (this.#held) this.#held.push(arrival);
    else if (seq) {
      if (this.#last < 0) this.#last = seq - 1;
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

  /** Skips the messages of the gap that could not be read. Returns the held arrivals in their order. */
  release(): readonly Arrival[] {
    const held = this.#held ?? [];
    this.#last = Math.max(this.#last, this.#end - 1);
    this.drop();
    return held;
  }

  /** Drops the held arrivals. */
  drop(): void {
    this.#held = undefined;
  }

  /** Expects the messages after `seq`, the last one of the server, again: a server that was restored reuses numbers. */
  truncate(seq: number): void {
    this.#last = Math.min(this.#last, seq);
  }
}
