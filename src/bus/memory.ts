import type { Bus, BusMessage, Topic } from './bus.ts';

type Deliver = (message: BusMessage) => void;

/** The bus of a server that runs as one node: delivers at once, within `publish`. */
export function createMemoryBus(): Bus {
  const subscribers = new Map<Topic, Set<Deliver>>();
  return {
    publish(topic, message) {
      const interested = subscribers.get(topic);
      if (interested) for (const deliver of interested) deliver(message);
    },
    subscribe(topic, deliver) {
      const interested = subscribers.get(topic) ?? new Set();
      subscribers.set(topic, interested.add(deliver));
      return () => {
        interested.delete(deliver);
        if (interested.size === 0 && subscribers.get(topic) === interested) subscribers.delete(topic);
      };
    },
  };
}
