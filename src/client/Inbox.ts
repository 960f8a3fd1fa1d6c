import { type Arrival, ChatSequence, type Deliver } from './ChatSequence.ts';
import { chatKey, chatKeyOf } from './chatAddress.ts';
import type { Change, ChatAddress, CommandName, Message, Push } from './protocol.ts';
import { isMessage, membershipIn, ownPushOf, pushOf } from './pushes.ts';

/**
 * Puts the pushes of all chats in order, each by a {@link ChatSequence}, and holds them while the client catches up. Drops
 * those of a profile that are older than what arrived. It has no timers and sends no requests.
 */
export class Inbox {
  readonly #self: () => number;
  readonly #deliver: Deliver;
  readonly #fill: (sequence: ChatSequence) => void;
  readonly #sequences = new Map<string, ChatSequence>();
  /** By user: the version of the newest profile that arrived. */
  readonly #profiles = new Map<number, number>();
  /** Arrivals since {@link pause}; undefined after {@link resume}. */
  #waiting: (() => void)[] | undefined = [];

  /**
   * `self` returns the id of this user, which is known before anything is delivered. `fill` is to read the messages of
   * {@link ChatSequence.gap}, pass them to {@link ChatSequence.deliver}, and call {@link release}.
   */
  constructor(self: () => number, deliver: Deliver, fill: (sequence: ChatSequence) => void) {
    this.#self = self;
    this.#deliver = deliver;
    this.#fill = fill;
  }

  /** Delivers the arrivals since {@link pause}, and later ones at once. */
  resume(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const take of waiting) this.#arrive(take); // a listener may close the client
  }

  /** Drops what was not delivered, because a catch-up returns it, and holds later arrivals until {@link resume}. */
  pause(): void {
    this.#waiting = [];
    for (const sequence of this.#sequences.values()) sequence.drop();
  }

  /** Takes a push. */
  push(push: Push): void {
    this.#arrive(() => {
      const { seq, version } = push.params as { readonly seq?: number; readonly version?: number };
      const key = chatKeyOf(push.params, this.#self());
      if (push.type === 'updateProfile') this.#profile(push);
      else if (!key) this.#deliver(push);
      else if (isMessage(push)) this.#take({ key, seq, push: version === undefined ? push : undefined });
      else this.#take({ key, push });
    });
  }

  /** Takes the message that a command of this client stored, or forgets the group that this user left by it. */
  done(type: CommandName, params: object, result: object): void {
    const stored = { ...params, ...result } as Partial<Message> & ChatAddress;
    const key = chatKey(stored);
    const seq = type === 'newGroup' ? 1 : stored.createdAt && stored.seq;
    if (membershipIn({ type, params } as Push, this.#self()) === 'ends') this.#sequences.delete(key);
    else if (seq) {
      // A message that the server wrote has to be read.
      const push = stored.content ? ownPushOf(stored) : undefined;
      this.#sequence(key).own(seq);
      this.#arrive(() => this.#take({ key, seq, push }));
    }
  }

  /** Takes a change that `sync` returned: delivers a new message, or forgets a group that this user left. */
  change(change: Change): void {
    if (change.kind === 'user') this.#profiles.set(change.userId, change.version);
    if (change.kind === 'left') this.#sequences.delete(chatKey(change));
    if (change.kind === 'chat') this.#sequences.get(chatKey(change))?.truncate(change.lastSeq);
    if (change.kind === 'message' && change.isNew)
      this.#sequence(chatKeyOf(change.message, this.#self())).deliver(pushOf(change.message));
  }

  /** Continues after a gap. Messages that could not be read are from before this user joined, or after they left. */
  release(sequence: ChatSequence): void {
    for (const arrival of sequence.release()) this.#arrive(() => this.#take(arrival));
  }

  /** Delivers a profile, unless a newer one arrived before: those of two nodes may overtake each other. */
  #profile(push: Push<'updateProfile'>): void {
    const { userId, version } = push.params;
    if (version < (this.#profiles.get(userId) ?? 0)) return;
    this.#profiles.set(userId, version);
    this.#deliver(push);
  }

  #arrive(take: () => void): void {
    if (this.#waiting) this.#waiting.push(take);
    else take();
  }

  #take(arrival: Arrival): void {
    const sequence = this.#sequence(arrival.key);
    if (sequence.take(arrival)) this.#fill(sequence);
  }

  #sequence(key: string): ChatSequence {
    const known = this.#sequences.get(key);
    if (known) return known;
    const sequence = new ChatSequence(key, (push, isOwn) => {
      this.#deliver(push, isOwn);
      // No more arrives of the chat, unless something is held behind the gap.
      if (!sequence.isHeld && membershipIn(push, this.#self()) === 'ends') this.#sequences.delete(key);
    });
    this.#sequences.set(key, sequence);
    return sequence;
  }
}
