import type { BusMessage, BusTransport, ChatPosition } from './bus.ts';
import type { Topic } from './topics.ts';

type Deliver = (message: BusMessage) => void;

/**
 * Creates the transport of a server that runs as one node: it delivers at once, within `publish`. `catchUp` is called
 * with how far a chat is that another process wrote in.
 */
export function createMemoryTransport(catchUp: (topic: Topic, head: ChatPosition) => void): BusTransport {
  const subscribers = new Map<Topic, Deliver>();
  return {
    isShared: false,
    isConnected: true,
    publish: (topic, message) => subscribers.get(topic)?.(message),
    publishHead: catchUp,
    receive(topic, message) {
      if ('head' in message) catchUp(topic, message.head);
      else subscribers.get(topic)?.(message);
    },
    subscribe(topic, deliver) {
      subscribers.set(topic, deliver);
      return () => {
        if (subscribers.get(topic) === deliver) subscribers.delete(topic);
      };
    },
    settled: async () => {},
    checkpoint: () => () => true,
    close: async () => {},
  };
}
