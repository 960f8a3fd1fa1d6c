import type { Bus, BusMessage, Topic } from './bus.ts';

type Deliver = (message: BusMessage) => void;

/** The bus of a server that runs as one node: delivers at once, within `publish`; nothing can be missed. */
export function createMemoryBus(): Bus {
  const subscribers = new Map<Topic, Deliver>();
  return {
    publish: (topic, message) => subscribers.get(topic)?.(message),
    subscribe(topic, deliver) {
      subscribers.set(topic, deliver);
      return () => {
        if (subscribers.get(topic) === deliver) subscribers.delete(topic);
      };
    },
    begin() {},
    catchUp() {},
    settled: async () => {},
    close: async () => {},
  };
}
