import type { Logger } from 'pino';
import { levelOf } from '../database/failures.ts';
import type { ChatId, ConnectionId } from '../ids.ts';
import { createGuard } from '../net/guard.ts';
import type { Bus, BusMessage, BusTransport, MembershipChange, PushContext } from './bus.ts';
import { createChangeDelivery } from './changeOrder.ts';
import { ChatSequence, HoldBudget } from './chatSequence.ts';
import type { Topic } from './topics.ts';

/** A message as it is pushed, read from the database. */
export interface ReadPush {
  readonly seq: number;
  readonly frame: string;
  readonly membership?: MembershipChange | undefined;
}

/** The record that gaps are filled from. */
export interface ChatRecord {
  /** The messages of a chat from one `seq` to another, lowest first. */
  read(chatId: ChatId, from: number, to: number): Promise<readonly ReadPush[]>;
  /** The newest `seq` of a chat; 0 where there is none. */
  head(chatId: ChatId): Promise<number>;
  /** The newest `seq` of a chat that was visible to a `pg_snapshot`; undefined when it is too far back to look for. */
  headAt(chatId: ChatId, snapshot: string): Promise<number | undefined>;
}

export interface OrderedBusOptions {
  readonly record: ChatRecord;
  readonly log: Logger;
  /**
   * Resolves when what this node is writing now in a chat is published: the record may have it before the node knows of it, and
   * whom it comes from gets a reply and no push.
   */
  readonly underWay: (chatId: ChatId) => Promise<void>;
  /** Called with how many messages were read from the record. */
  readonly gapFilled: (messages: number) => void;
  /** More is missing of a chat than is pushed: those who receive the topic must synchronise. */
  readonly gapTooLarge: (topic: Topic, chatId: ChatId) => void;
}

type Push = Extract<BusMessage, { readonly frame: string }>;

interface Listener {
  readonly deliver: (message: BusMessage) => void;
  readonly sequences: Map<ChatId, ChatSequence<Push>>;
  /** Newest seq of each chat at first. Where that is known of a topic, a chat that is not there is a new one. */
  heads: Map<ChatId, number> | undefined;
  /** Instead of the heads: what was visible then. */
  snapshot: string | undefined;
  /** Chats with a gap that is being filled. */
  readonly filling: Map<ChatId, Filling>;
}

interface Filling {
  timer: NodeJS.Timeout | undefined;
  /** True if the newest seq has to be read first. */
  needsHead: boolean;
  /** Connections that do not get the push of a `seq`, for they have a reply. */
  readonly replied: Map<number, ConnectionId>;
  /** Messages and bytes pushed so far to fill the gap. */
  messages: number;
  bytes: number;
}

/** Milliseconds a gap may fill by itself: publications of two nodes overtake each other by less. */
const PATIENCE = 100;
/** Milliseconds before the database is asked again. */
const RETRY = 1_000;
/** Messages read at once. */
const PAGE = 250;
/** Of a larger gap clients read what they need: pushing all of it would hold up everything else. */
const MAX_GAP = 5_000;
const MAX_GAP_BYTES = 4 * 1024 * 1024;
/** Bytes of messages of all chats that wait for a gap to be filled. */
const MAX_HELD_BYTES = 32 * 1024 * 1024;

/**
 * Lets the messages of a chat through in the order of `seq`, each once: they come from several nodes, which overtake
 * each other, and NATS keeps nothing for who was away. A gap that does not fill in a moment is read from the record.
 * What is about a chat without a place in it waits for the message that was the newest when it was committed.
 */
export function createOrderedBus(
  carrier: BusTransport,
  { record, log, underWay, gapFilled, gapTooLarge }: OrderedBusOptions,
): Bus {
  const listeners = new Map<Topic, Listener>();
  const budget = new HoldBudget(MAX_HELD_BYTES);
  const changes = createChangeDelivery(createGuard(log));

  return {
    get isShared() {
      return carrier.isShared;
    },
    get isConnected() {
      return carrier.isConnected;
    },
    publish: carrier.publish,
    publishHead: carrier.publishHead,
    receive: carrier.receive,
    settled: carrier.settled,
    async close() {
      changes.close();
      for (const { filling } of listeners.values())
        for (const { timer } of filling.values()) clearTimeout(timer);
      await carrier.close();
    },
    subscribe(topic, deliver) {
      const listener: Listener = {
        deliver,
        sequences: new Map(),
        heads: undefined,
        snapshot: undefined,
        filling: new Map(),
      };
      listeners.set(topic, listener);
      const unsubscribe = carrier.subscribe(topic, (message) => take(topic, listener, message));
      return () => {
        unsubscribe();
        listeners.delete(topic);
        for (const { timer } of listener.filling.values()) clearTimeout(timer);
        listener.filling.clear();
        for (const sequence of listener.sequences.values()) sequence.skipTo(Number.POSITIVE_INFINITY);
        listener.sequences.clear();
      };
    },
    begin(topic, heads, snapshot) {
      const listener = listeners.get(topic);
      if (!listener) return;
      listener.snapshot ??= snapshot;
      if (!heads || listener.heads) return;
      listener.heads = new Map();
      for (const { chatId, seq } of heads)
        if (!listener.heads.has(chatId) && !listener.sequences.has(chatId)) listener.heads.set(chatId, seq);
    },
    catchUp(topic, { chatId, seq }, replied) {
      const listener = listeners.get(topic);
      if (!listener || seq <= (positionOf(listener, chatId) ?? -1)) return;
      const sequence = knownSequence(listener, chatId) ?? unknownSequence(listener, chatId);
      if (!sequence) return; // it may have been delivered before
      const isOpen = seq === Number.POSITIVE_INFINITY;
      if (!isOpen) sequence.raise(seq);
      if (!isOpen && !sequence.hasGap) return;
      const filling = fillLater(topic, listener, chatId, isOpen ? 0 : patience());
      if (isOpen) filling.needsHead = true;
      else if (replied !== undefined) filling.replied.set(seq, replied);
    },
    after(topic, { chatId, seq }, then) {
      const listener = listeners.get(topic);
      if (!listener || seq <= (positionOf(listener, chatId) ?? -1)) return then();
      const sequence = knownSequence(listener, chatId);
      if (sequence) sequence.after(seq, then);
      else then();
    },
    position(topic, chatId) {
      const listener = listeners.get(topic);
      return listener && positionOf(listener, chatId);
    },
  };

  function positionOf({ sequences, heads }: Listener, chatId: ChatId): number | undefined {
    return sequences.get(chatId)?.last ?? heads?.get(chatId);
  }

  /** While the bus is away, nothing arrives by itself. */
  function patience(): number {
    return carrier.isConnected ? PATIENCE : 0;
  }

  /** The sequence of a chat of which it is known how far it was delivered. */
  function knownSequence(listener: Listener, chatId: ChatId): ChatSequence<Push> | undefined {
    const known = listener.sequences.get(chatId);
    if (known || !listener.heads) return known;
    const last = listener.heads.get(chatId) ?? 0;
    listener.heads.delete(chatId);
    return newSequence(listener, chatId, last);
  }

  /** A sequence that begins with what was not visible to the snapshot of the topic. */
  function unknownSequence(listener: Listener, chatId: ChatId): ChatSequence<Push> | undefined {
    return listener.snapshot === undefined ? undefined : newSequence(listener, chatId, undefined);
  }

  function newSequence(
    { sequences, deliver }: Listener,
    chatId: ChatId,
    last: number | undefined,
  ): ChatSequence<Push> {
    const sequence = new ChatSequence<Push>(last, deliver, budget);
    sequences.set(chatId, sequence);
    return sequence;
  }

  function take(topic: Topic, listener: Listener, message: BusMessage): void {
    if (!('frame' in message)) return listener.deliver(message);
    if (message.place) {
      const { chatId, seq } = message.place;
      const sequence =
        listener.sequences.get(chatId) ??
        knownSequence(listener, chatId) ??
        newSequence(listener, chatId, seq - 1);
      sequence.take(seq, message);
      if (sequence.hasGap) fillLater(topic, listener, chatId);
    } else if (message.about) takeChange(topic, listener, message, message.about);
    else listener.deliver(message);
  }

  /** Delivers a push about a chat in its turn among the messages, and among the changes of its message. */
  function takeChange(topic: Topic, listener: Listener, message: Push, about: PushContext): void {
    const { chatId, head } = about;
    const deliver = () =>
      changes.take(topic, about, () => {
        if (listeners.get(topic) === listener) listener.deliver(message);
      });
    const position = positionOf(listener, chatId);
    const isKnown = position !== undefined || listener.heads !== undefined;
    if (!isKnown || (position ?? 0) >= head) return deliver();
    const sequence = knownSequence(listener, chatId);
    if (!sequence) return deliver();
    sequence.raise(head);
    sequence.after(head, deliver);
    fillLater(topic, listener, chatId);
  }

  function fillLater(topic: Topic, listener: Listener, chatId: ChatId, delay = patience()): Filling {
    let filling = listener.filling.get(chatId);
    if (!filling) {
      filling = { timer: undefined, needsHead: false, replied: new Map(), messages: 0, bytes: 0 };
      listener.filling.set(chatId, filling);
    }
    filling.timer ??= setTimeout(() => void run(topic, listener, chatId), delay);
    return filling;
  }

  async function run(topic: Topic, listener: Listener, chatId: ChatId): Promise<void> {
    const filling = listener.filling.get(chatId);
    const sequence = listener.sequences.get(chatId);
    if (!filling || !sequence) return;
    let delay = 0;
    try {
      await fill(topic, listener, chatId, sequence, filling);
    } catch (error) {
      log[levelOf(error)]({ err: error, chatId }, 'missing messages could not be read');
      delay = RETRY;
    }
    if (listener.filling.get(chatId) !== filling) return; // nobody is subscribed any more
    filling.timer = undefined;
    if (sequence.hasGap || filling.needsHead) fillLater(topic, listener, chatId, delay);
    else listener.filling.delete(chatId);
  }

  async function fill(
    topic: Topic,
    listener: Listener,
    chatId: ChatId,
    sequence: ChatSequence<Push>,
    filling: Filling,
  ): Promise<void> {
    if (sequence.last === undefined) {
      const last = await record.headAt(chatId, listener.snapshot ?? '');
      const head = last ?? (await record.head(chatId));
      if (listeners.get(topic) !== listener) return;
      if (last === undefined) return giveUp(topic, chatId, sequence, head);
      sequence.begin(last);
    }
    if (filling.needsHead) {
      const head = await record.head(chatId);
      if (listeners.get(topic) !== listener) return;
      filling.needsHead = false;
      sequence.raise(head);
    }
    const { gap } = sequence;
    if (!gap) return;
    if (gap.to - gap.from >= MAX_GAP - filling.messages || filling.bytes > MAX_GAP_BYTES)
      return giveUp(topic, chatId, sequence, gap.to);
    const to = Math.min(gap.to, gap.from + PAGE - 1);
    const missing = await record.read(chatId, gap.from, to);
    await underWay(chatId);
    if (listeners.get(topic) !== listener) return; // nobody is subscribed any more
    sequence.fill(
      missing.map(({ seq, ...push }) => {
        filling.bytes += push.frame.length;
        return [seq, { ...push, place: { chatId, seq }, except: filling.replied.get(seq) }];
      }),
      to,
    );
    filling.messages += missing.length;
    if (missing.length === 0) return;
    gapFilled(missing.length);
    log.debug({ chatId, messages: missing.length }, 'missing messages read from the database');
  }

  function giveUp(topic: Topic, chatId: ChatId, sequence: ChatSequence<Push>, to: number): void {
    log.warn({ topic, chatId, missing: to - (sequence.last ?? 0) }, 'too many messages are missing to push');
    gapTooLarge(topic, chatId);
    sequence.skipTo(to);
  }
}
