import type { LRUCache } from 'lru-cache';
import { lruCache } from '../lruCache.ts';
import type { Guard } from '../net/guard.ts';
import type { PushContext } from './bus.ts';
import { schedule as processTimers, type Schedule } from './schedule.ts';
import type { Topic } from './topics.ts';

/** Milliseconds that a push waits for those before it: publications of two nodes overtake each other by less. */
const PATIENCE = 100;
/** Messages whose changes are remembered, of all topics together: about 300 bytes each. */
const MAX_MESSAGES = 20_000;
/** Parts of one message whose versions are remembered. */
const MAX_PARTS = 64;

/** Delivers the pushes about changes of messages in the order of their `version`. */
export interface ChangeDelivery {
  /** Calls `deliver` at once, in a moment, or never if the subscribers of the topic have received something newer. */
  take(topic: Topic, about: PushContext, deliver: () => void): void;
  /** Drops all pushes that wait. */
  close(): void;
}

/** Creates the delivery of changes of all topics of a node: a {@link ChangeOrder}, and the timers for it. */
export function createChangeDelivery(guard: Guard, schedule: Schedule = processTimers): ChangeDelivery {
  const order = new ChangeOrder(MAX_MESSAGES);
  const timers = new Set<() => void>();
  const release = guard('pushing a change that waited', (held: HeldChange) => order.release(held));
  return {
    take(topic, about, deliver) {
      const held = order.take(topic, about, deliver);
      if (!held) return;
      const cancel = schedule(() => {
        timers.delete(cancel);
        release(held);
      }, PATIENCE);
      timers.add(cancel);
    },
    close() {
      for (const cancel of timers) cancel();
      timers.clear();
    },
  };
}

/** A push that arrived before one with a lower version. */
export interface HeldChange {
  readonly message: ChangedMessage;
  readonly version: number;
  readonly part: string;
  readonly deliver: () => void;
}

/** Changes of one message that the subscribers of a topic have received. */
interface ChangedMessage {
  /** The highest version that was delivered. */
  last: number;
  /** The version of each part that was delivered, the latest at the end. */
  readonly parts: Map<string, number>;
  /** Pushes that wait, lowest version first. */
  held: HeldChange[];
}

/** No part changes any more after this one. */
const DELETED = 'deleted';

/**
 * Puts the pushes about changes of messages in the order of their versions, which count 1, 2, 3 … for each message.
 * A push that arrives early is held until its predecessors arrived or the caller gives up; one that arrives after that is
 * delivered unless something newer of the same part was. The first version met of a message begins its order.
 */
export class ChangeOrder {
  readonly #messages: LRUCache<string, ChangedMessage>;

  constructor(maxMessages: number) {
    this.#messages = lruCache<string, ChangedMessage>(maxMessages, {
      dispose: (message) => deliverHeld(message, Number.POSITIVE_INFINITY), // nothing is lost
    });
  }

  /** Delivers a push and those that waited for it, or drops it; returns it when it has to wait. */
  take(topic: Topic, about: PushContext, deliver: () => void): HeldChange | undefined {
    const { chatId, seq, version, part = '' } = about;
    if (seq === undefined || version === undefined) {
      deliver();
      return undefined;
    }
    const message = this.#messageOf(`${topic} ${chatId} ${seq}`, version);
    const { last, held } = message;
    if (version <= last) {
      if (!isSuperseded(message, part, version)) deliverOne(message, { version, part, deliver });
      return undefined;
    }
    const change = { message, version, part, deliver };
    const index = held.findIndex((other) => other.version >= version);
    if (held[index]?.version === version) return undefined; // it arrived twice
    held.splice(index === -1 ? held.length : index, 0, change);
    deliverHeld(message, last);
    return held.includes(change) ? change : undefined;
  }

  /** Stops waiting for the predecessors of a push: delivers it, behind those that wait with a lower version. */
  release({ message, version }: HeldChange): void {
    deliverHeld(message, version);
  }

  #messageOf(key: string, version: number): ChangedMessage {
    const known = this.#messages.get(key);
    if (known) return known;
    const message = { last: version - 1, parts: new Map<string, number>(), held: [] };
    this.#messages.set(key, message);
    return message;
  }
}

/** Delivers the pushes that wait up to a version, and those that follow it without a gap. */
function deliverHeld(message: ChangedMessage, upTo: number): void {
  const { held } = message;
  for (
    let next = held[0];
    next && (next.version <= upTo || next.version === message.last + 1);
    next = held[0]
  ) {
    held.shift();
    message.last = next.version;
    deliverOne(message, next);
  }
}

function deliverOne(
  { parts }: ChangedMessage,
  { version, part, deliver }: Omit<HeldChange, 'message'>,
): void {
  parts.delete(part);
  parts.set(part, version);
  if (parts.size > MAX_PARTS) parts.delete(parts.keys().next().value as string);
  deliver();
}

function isSuperseded({ parts }: ChangedMessage, part: string, version: number): boolean {
  return Math.max(parts.get(part) ?? 0, parts.get(DELETED) ?? 0) >= version;
}
