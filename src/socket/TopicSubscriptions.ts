import type { Bus, BusMessage, Unsubscribe } from '../bus/bus.ts';
import type { Topic } from '../bus/topics.ts';

/** A topic to which connections of this node are subscribed. */
export interface TopicSubscription {
  /** Number of connections, and of others that wait for a message of it. */
  subscribers: number;
  /** Number of messages delivered since the first of them subscribed. */
  delivered: number;
  unsubscribe: Unsubscribe;
}

/** Subscribes to a topic on the bus for as long as at least one connection is subscribed to it. */
export class TopicSubscriptions {
  readonly #bus: Pick<Bus, 'subscribe'>;
  readonly #deliver: (topic: Topic, subscription: TopicSubscription, message: BusMessage) => void;
  readonly #subscriptions = new Map<Topic, TopicSubscription>();

  constructor(
    bus: Pick<Bus, 'subscribe'>,
    deliver: (topic: Topic, subscription: TopicSubscription, message: BusMessage) => void,
  ) {
    this.#bus = bus;
    this.#deliver = deliver;
  }

  has(topic: Topic): boolean {
    return this.#subscriptions.has(topic);
  }

  /** Returns the number of messages delivered to a topic since the first subscriber came. */
  delivered(topic: Topic): number {
    return this.#subscriptions.get(topic)?.delivered ?? 0;
  }

  subscribe(topic: Topic): void {
    const known = this.#subscriptions.get(topic);
    if (known) {
      known.subscribers++;
      return;
    }
    const subscription: TopicSubscription = { subscribers: 1, delivered: 0, unsubscribe: () => {} };
    this.#subscriptions.set(topic, subscription);
    subscription.unsubscribe = this.#bus.subscribe(topic, (message) => {
      subscription.delivered++;
      this.#deliver(topic, subscription, message);
    });
  }

  unsubscribe(topic: Topic): void {
    const subscription = this.#subscriptions.get(topic);
    if (!subscription || --subscription.subscribers > 0) return;
    this.#subscriptions.delete(topic); // before: what waited for the topic may subscribe to it again
    subscription.unsubscribe();
  }
}
