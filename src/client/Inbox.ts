import { type Arrival, ChatSequence, type Deliver } from './ChatSequence.ts';
import { chatKey, chatKeyOf } from './chatAddress.ts';
import type { Change, ChatAddress, Push } from './protocol.ts';
import { isPlace, membershipIn, pushOf } from './pushes.ts';

/**
 * Puts the pushes of all chats in order, each by a {@link ChatSequence}, and holds them back while the client catches
 * up. It has no timers and sends no requests.
 */
export class Inbox {
  readonly #self: () => number;
  readonly #deliver: Deliver;
  readonly #gap: (sequence: ChatSequence) => void;
  readonly #sequences = new Map<string, ChatSequence>();
  /** What arrived since {@link pause}; undefined after {@link resume}. */
  #waiting: (() => void)[] | undefined = [];

  /**
   * `self` returns the id of this user, which is known when something is delivered; `gap` is to request the messages of
   * {@link ChatSequence.gap}, for {@link ChatSequence.deliver} and {@link release}.
   */
  constructor(self: () => number, deliver: Deliver, gap: (sequence: ChatSequence) => void) {
    this.#self = self;
    this.#deliver = deliver;
    this.#gap = gap;
  }

  /** Delivers what has arrived since {@link pause}, and from now on everything at once. */
  resume(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const take of waiting) take();
  }

  /** Drops what was not delivered, for catching up finds it, and holds back what arrives until {@link resume}. */
  pause(): void {
    this.#waiting = [];
    for (const sequence of this.#sequences.values()) sequence.drop();
  }

  push(push: Push): void {
    this.#arrive(() => {
      const { seq, version } = push.params as { readonly seq?: number; readonly version?: number };
      const key = chatKeyOf(push.params, this.#self());
      if (key === undefined) this.#deliver(push);
      else if (isPlace(push)) this.#take({ key, seq, push: version === undefined ? push : undefined });
      else this.#take({ key, push });
    });
  }

  /** Takes the `seq` of a command of this client; without a push the message is read from the server. */
  own(address: ChatAddress, seq: number, push: Push | undefined): void {
    const key = chatKey(address);
    this.#sequence(key).own(seq);
    this.#arrive(() => this.#take({ key, seq, push }));
  }

  /** Forgets a chat that this user is no longer in: it begins again with the next arrival. */
  forget(address: ChatAddress): void {
    this.#sequences.delete(chatKey(address));
  }

  /** Takes a change that `sync` returned: delivers a new message. */
  change(change: Change): void {
    if (change.kind === 'left') this.forget(change);
    if (change.kind === 'chat') this.#sequences.get(chatKey(change))?.truncate(change.lastSeq);
    if (change.kind === 'message' && change.isNew)
      this.#sequence(chatKeyOf(change.message, this.#self()) ?? '').deliver(pushOf(change.message));
  }

  /** Goes on behind a gap. What could not be read is not for this user: it was before they joined, or after they left. */
  release(sequence: ChatSequence): void {
    for (const arrival of sequence.release()) this.#take(arrival);
  }

  #arrive(take: () => void): void {
    if (this.#waiting) this.#waiting.push(take);
    else take();
  }

  #take(arrival: Arrival): void {
    const sequence = this.#sequence(arrival.key);
    if (sequence.take(arrival)) this.#gap(sequence);
  }

  #sequence(key: string): ChatSequence {
    const known = this.#sequences.get(key);
    if (known) return known;
    const sequence = new ChatSequence(key, (push, isOwn) => {
      this.#deliver(push, isOwn);
      // Nothing more arrives of the chat, unless there is something behind the gap.
      if (!sequence.isHeld && membershipIn(push, this.#self()) === 'ends') this.#sequences.delete(key);
    });
    this.#sequences.set(key, sequence);
    return sequence;
  }
}
