import type { ChatId } from '../../ids.ts';
import type { ChatPosition } from '../bus.ts';
import type { Topic } from '../topics.ts';

/** Chats whose heads are kept at most, about 2 MiB. */
const MAX_HEADS = 10_000;

/** A round trip to NATS, and what is confirmed by it. */
export interface Confirmation {
  readonly unconfirmed: Unconfirmed;
  /** When it began, in monotonic milliseconds. */
  readonly at: number;
  /** Publications with a lower number were sent, and announced as sent, before it. */
  readonly sent: number;
}

/**
 * Knows what NATS has confirmed: what was published before a round trip that succeeds. What fails is counted as
 * unconfirmed again, and has to be repeated over the next connection.
 */
export class Confirmations {
  #unconfirmed = new Unconfirmed();
  #isRunning = false;
  #confirmedAt: number;
  #confirmed = 0;

  constructor(now: number) {
    this.#confirmedAt = now;
  }

  /** Everything that was published until then, in monotonic milliseconds, was confirmed. */
  get confirmedAt(): number {
    return this.#confirmedAt;
  }

  /** Publications with a lower number were confirmed, and other nodes know that they were sent. */
  get confirmed(): number {
    return this.#confirmed;
  }

  /** Messages of chats and signals that were published since the last round trip began, or not confirmed by it. */
  get unconfirmed(): Unconfirmed {
    return this.#unconfirmed;
  }

  /** Begins a round trip, before which publications up to `sent` were announced; undefined while there is one. */
  begin(now: number, sent: number): Confirmation | undefined {
    if (this.#isRunning) return undefined;
    this.#isRunning = true;
    const confirmation = { unconfirmed: this.#unconfirmed, at: now, sent };
    this.#unconfirmed = new Unconfirmed();
    return confirmation;
  }

  /** Ends a round trip. */
  end({ unconfirmed, at, sent }: Confirmation, isConfirmed: boolean): void {
    this.#isRunning = false;
    if (isConfirmed) {
      this.#confirmedAt = at;
      this.#confirmed = Math.max(this.#confirmed, sent);
    } else {
      this.#unconfirmed.addAll(unconfirmed);
    }
  }
}

/** Messages of chats and signals that were published and not confirmed by NATS yet. */
export class Unconfirmed {
  readonly #maxHeads: number;
  readonly #heads = new Map<ChatId, { seq: number; readonly topics: Topic[] }>();
  #needsReconcile = false;

  constructor(maxHeads = MAX_HEADS) {
    this.#maxHeads = maxHeads;
  }

  /** True if other nodes may have missed more than the heads: they have to compare with the database. */
  get needsReconcile(): boolean {
    return this.#needsReconcile;
  }

  /** Notes a message of a chat. */
  addHead(topic: Topic, { chatId, seq }: ChatPosition): void {
    const known = this.#heads.get(chatId);
    if (known) {
      if (seq > known.seq) known.seq = seq;
      if (!known.topics.includes(topic)) known.topics.push(topic);
    } else if (this.#heads.size < this.#maxHeads) {
      this.#heads.set(chatId, { seq, topics: [topic] });
    } else {
      this.#needsReconcile = true;
    }
  }

  /** Notes a signal: its effect is in the database. */
  addSignal(): void {
    this.#needsReconcile = true;
  }

  /** Notes everything that another one has. */
  addAll(others: Unconfirmed): void {
    for (const { topic, head } of others.heads()) this.addHead(topic, head);
    this.#needsReconcile ||= others.needsReconcile;
  }

  /** Yields the newest `seq` of each chat for each of its topics. */
  *heads(): IterableIterator<{ topic: Topic; head: ChatPosition }> {
    for (const [chatId, { seq, topics }] of this.#heads)
      for (const topic of topics) yield { topic, head: { chatId, seq } };
  }
}
