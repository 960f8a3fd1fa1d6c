import { createGuard } from '../net/guard.ts';
import type { Bus, BusTransport } from './bus.ts';
import { createChangeDelivery } from './ChangeOrder.ts';
import { HoldBudget } from './ChatSequence.ts';
import { GapFiller, type GapFillerOptions } from './GapFiller.ts';
import { schedule as processTimers, type Schedule } from './schedule.ts';
import { TopicSequences } from './TopicSequences.ts';
import type { Topic } from './topics.ts';

export interface OrderedBusOptions extends GapFillerOptions {
  /** Timers; those of the process by default. */
  readonly schedule?: Schedule;
}

/** Bytes of messages of all chats that are held until a gap before them is filled. */
const MAX_HELD_BYTES = 32 * 1024 * 1024;

/**
 * Makes a transport deliver the messages of a chat in the order of `seq`, each once: they come from several nodes, which
 * overtake each other, and NATS keeps nothing for nodes that are away. A gap that does not close in a moment is read
 * from the record. A push that is about a chat without a position in it waits for the message that was the newest when it
 * was committed.
 *
 * The decisions are made by {@link TopicSequences} and `GapPlan`, without timers or reads; {@link GapFiller} adds those.
 */
export function createOrderedBus(transport: BusTransport, options: OrderedBusOptions): Bus {
  const { log, schedule = processTimers } = options;
  const topics = new Map<Topic, TopicSequences>();
  const changes = createChangeDelivery(createGuard(log), schedule);
  const filler = new GapFiller(options, () => transport.isConnected, schedule);
  const shared = {
    budget: new HoldBudget(MAX_HELD_BYTES),
    changes,
    fillGap: filler.fill.bind(filler),
  };
  return {
    get isShared() {
      return transport.isShared;
    },
    get isConnected() {
      return transport.isConnected;
    },
    publish: (topic, message) => transport.publish(topic, message),
    publishHead: (topic, head) => transport.publishHead(topic, head),
    receive: (topic, message) => transport.receive(topic, message),
    settled: () => transport.settled(),
    checkpoint: () => transport.checkpoint(),
    async close() {
      changes.close();
      filler.close();
      await transport.close();
    },
    subscribe(topic, deliver) {
      const sequences = new TopicSequences(topic, deliver, shared);
      topics.set(topic, sequences);
      const unsubscribe = transport.subscribe(topic, (message) => sequences.take(message));
      return () => {
        unsubscribe();
        topics.delete(topic);
        filler.stop(sequences);
        sequences.close();
      };
    },
    begin: (topic, heads, snapshot) => topics.get(topic)?.begin(heads, snapshot),
    catchUp: (topic, head, replied) => topics.get(topic)?.catchUp(head, replied),
    after(topic, head, then) {
      const sequences = topics.get(topic);
      if (sequences) sequences.after(head, then);
      else then();
    },
    position: (topic, chatId) => topics.get(topic)?.position(chatId),
  };
}
