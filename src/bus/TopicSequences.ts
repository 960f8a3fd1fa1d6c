import type { ChatId, ConnectionId } from '../ids.ts';
import type { BusMessage, ChatPosition, PushContext, PushMessage } from './bus.ts';
import type { ChangeDelivery } from './ChangeOrder.ts';
import { ChatSequence, type HoldBudget } from './ChatSequence.ts';
import { GapPlan } from './GapPlan.ts';
import type { Topic } from './topics.ts';

/** Asks for the gap of a chat to be filled, unless it is being filled: at once if it is urgent. */
export type FillGap = (sequences: TopicSequences, chatId: ChatId, isUrgent: boolean) => void;

/** Dependencies that all topics of a bus share. */
export interface SequenceOptions {
  /** Bounds what is held of all chats. */
  readonly budget: HoldBudget;
  readonly changes: Pick<ChangeDelivery, 'take'>;
  readonly fillGap: FillGap;
}

/**
 * Ordering state of the chats of one topic on this node: delivers messages in the order of `seq`, and pushes about a
 * chat behind the message that was the newest when they were committed. Neither waits nor reads: gaps are filled by
 * the caller, as their {@link GapPlan} says.
 */
export class TopicSequences {
  readonly topic: Topic;
  readonly #deliver: (message: BusMessage) => void;
  readonly #options: SequenceOptions;
  readonly #sequences = new Map<ChatId, ChatSequence<PushMessage>>();
  /** First `seq`s of chats without a sequence. Where they are known of a topic, a chat that is not there is a new one. */
  #heads: Map<ChatId, number> | undefined;
  /** Says, instead of the heads, what was visible at first. */
  #snapshot: string | undefined;
  /** Chats with a gap that is being filled. */
  #plans: Map<ChatId, GapPlan> | undefined;
  #isClosed = false;

  constructor(topic: Topic, deliver: (message: BusMessage) => void, options: SequenceOptions) {
    this.topic = topic;
    this.#deliver = deliver;
    this.#options = options;
  }

  /** True once nobody is subscribed any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Sets how far the chats were at first; see `Bus.begin`. */
  begin(heads: Iterable<ChatPosition> | undefined, snapshot: string | undefined): void {
    this.#snapshot ??= snapshot;
    if (!heads || this.#heads) return;
    this.#heads = new Map();
    for (const { chatId, seq } of heads)
      if (!this.#heads.has(chatId) && !this.#sequences.has(chatId)) this.#heads.set(chatId, seq);
  }

  /** Returns up to which `seq` a chat was delivered; undefined where that is not known. */
  position(chatId: ChatId): number | undefined {
    return this.#sequences.get(chatId)?.last ?? this.#heads?.get(chatId);
  }

  /** Delivers what arrived, holds it until its turn comes, or drops it if it arrived before. */
  take(message: BusMessage): void {
    if (!('frame' in message)) this.#deliver(message);
    else if (message.position) this.#takeMessage(message, message.position);
    else if (message.about) this.#takeChange(message, message.about);
    else this.#deliver(message);
  }

  /** Calls `then` once a chat was delivered up to a message, before what follows it; at once where that is not known. */
  after({ chatId, seq }: ChatPosition, then: () => void): void {
    const sequence = this.#isDelivered(chatId, seq) ? undefined : this.#known(chatId);
    if (sequence) sequence.after(seq, then);
    else then();
  }

  /** Has everything of a chat delivered that it has up to a message; see `Bus.catchUp`. */
  catchUp({ chatId, seq }: ChatPosition, replied: ConnectionId | undefined): void {
    if (this.#isDelivered(chatId, seq)) return;
    const sequence = this.#known(chatId) ?? this.#fromSnapshot(chatId);
    if (!sequence) return; // it may have been delivered before
    const isOpen = seq === Number.POSITIVE_INFINITY;
    if (!isOpen) {
      sequence.raise(seq);
      if (!sequence.hasGap) return;
    }
    const plan = this.#planOf(chatId, sequence);
    if (isOpen) plan.requireHead();
    else if (replied !== undefined) plan.exclude(seq, replied);
    this.#options.fillGap(this, chatId, isOpen);
  }

  /** Returns how to fill the gap of a chat, as far as that was done; undefined where there is nothing to fill. */
  plan(chatId: ChatId): GapPlan | undefined {
    const sequence = this.#sequences.get(chatId);
    return sequence && this.#planOf(chatId, sequence);
  }

  /** Forgets how the gap of a chat was filled. */
  filled(chatId: ChatId): void {
    this.#plans?.delete(chatId);
  }

  /** Delivers nothing any more, and calls what waits. */
  close(): void {
    this.#isClosed = true;
    for (const sequence of this.#sequences.values()) sequence.skipTo(Number.POSITIVE_INFINITY);
    this.#sequences.clear();
    this.#plans = undefined;
  }

  #takeMessage(message: PushMessage, { chatId, seq }: ChatPosition): void {
    const sequence = this.#sequences.get(chatId) ?? this.#known(chatId) ?? this.#newSequence(chatId, seq - 1);
    sequence.take(seq, message);
    if (sequence.hasGap) this.#options.fillGap(this, chatId, false);
  }

  /** Delivers a push about a chat in its turn among the messages, and among the changes of its message. */
  #takeChange(message: PushMessage, about: PushContext): void {
    const { chatId, head } = about;
    const deliver = () =>
      this.#options.changes.take(this.topic, about, () => {
        if (!this.#isClosed) this.#deliver(message);
      });
    const position = this.position(chatId) ?? (this.#heads && 0);
    const isEarly = position !== undefined && position < head;
    const sequence = isEarly ? this.#known(chatId) : undefined;
    if (!sequence) return deliver();
    sequence.raise(head);
    sequence.after(head, deliver);
    this.#options.fillGap(this, chatId, false);
  }

  #isDelivered(chatId: ChatId, seq: number): boolean {
    return seq <= (this.position(chatId) ?? -1);
  }

  /** Returns the sequence of a chat of which it is known how far it was delivered. */
  #known(chatId: ChatId): ChatSequence<PushMessage> | undefined {
    const known = this.#sequences.get(chatId);
    if (known || !this.#heads) return known;
    const last = this.#heads.get(chatId) ?? 0;
    this.#heads.delete(chatId);
    return this.#newSequence(chatId, last);
  }

  /** Returns a sequence that begins with what was not visible to the snapshot of the topic, if there is one. */
  #fromSnapshot(chatId: ChatId): ChatSequence<PushMessage> | undefined {
    return this.#snapshot === undefined ? undefined : this.#newSequence(chatId, undefined);
  }

  #newSequence(chatId: ChatId, last: number | undefined): ChatSequence<PushMessage> {
    const sequence = new ChatSequence<PushMessage>(last, this.#deliver, this.#options.budget);
    this.#sequences.set(chatId, sequence);
    return sequence;
  }

  #planOf(chatId: ChatId, sequence: ChatSequence<PushMessage>): GapPlan {
    this.#plans ??= new Map();
    let plan = this.#plans.get(chatId);
    if (!plan) {
      plan = new GapPlan(chatId, sequence, this.#snapshot);
      this.#plans.set(chatId, plan);
    }
    return plan;
  }
}
