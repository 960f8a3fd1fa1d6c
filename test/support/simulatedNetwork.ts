import type { BusMessage, BusTransport, ChatPosition, NodeMessage, Unsubscribe } from '../../src/bus/bus.ts';
import type { Schedule } from '../../src/bus/schedule.ts';
import type { Topic } from '../../src/bus/topics.ts';

/** Describes what the network does to one publication on its way to one node. */
export interface Fate {
  /** Milliseconds until it arrives; publications of chats overtake each other accordingly. */
  readonly delay: number;
  /** A message of a chat is lost, in silence. */
  readonly isLost?: boolean;
  /** A message of a chat arrives once more, so many milliseconds later. */
  readonly repeatedAfter?: number | undefined;
}

/** Callbacks of a node, as the NATS transport has them. */
export interface SimulatedHandlers {
  catchUp(topic: Topic, head: ChatPosition): void;
  reconcile(): void;
}

/**
 * A network of nodes in memory, with the guarantees of the bus transport and no more, and with the faults that a test
 * chooses: messages of chats may be late, lost, repeated and out of order; other pushes keep their order, and wait
 * while a node is away; signals are lost then. After an outage a node is asked to reconcile, and the others are
 * notified of the heads of the chats that it wrote in.
 */
export class SimulatedNetwork {
  readonly nodes: SimulatedTransport[] = [];
  readonly #schedule: Schedule;
  /** Chooses the fate of each publication. */
  fate: () => Fate;

  constructor(schedule: Schedule, fate: () => Fate = () => ({ delay: 1 })) {
    this.#schedule = schedule;
    this.fate = fate;
  }

  /** Adds a node. */
  join(handlers: SimulatedHandlers): SimulatedTransport {
    const node = new SimulatedTransport(this, handlers);
    this.nodes.push(node);
    return node;
  }

  /** Carries what a node publishes to the others. */
  send(from: SimulatedTransport, topic: Topic, message: NodeMessage): void {
    for (const to of this.nodes) if (to !== from) this.#sendTo(to, from, topic, message);
  }

  /** Carries what waited while a node was away. */
  restored(node: SimulatedTransport): void {
    for (const other of this.nodes) {
      this.#flush(node, other);
      this.#flush(other, node);
    }
  }

  #sendTo(to: SimulatedTransport, from: SimulatedTransport, topic: Topic, message: NodeMessage): void {
    const head = headOf(message);
    const { delay, isLost, repeatedAfter } = this.fate();
    if (!head && 'frame' in message) {
      from.outbox(to).push({ topic, message });
      this.#schedule(() => this.#flush(from, to), delay);
    } else if (!from.isConnected) {
      if (head) from.unsent.push({ topic, head });
    } else if (!(head && isLost)) {
      this.#schedule(() => to.arrive(topic, message), delay);
      if (head && repeatedAfter !== undefined)
        this.#schedule(() => to.arrive(topic, message), delay + repeatedAfter);
    }
  }

  /** Delivers the pushes that keep their order, unless one of the nodes is away. */
  #flush(from: SimulatedTransport, to: SimulatedTransport): void {
    if (!from.isConnected || !to.isConnected) return;
    for (const { topic, message } of from.outbox(to).splice(0)) to.arrive(topic, message);
  }
}

/** Returns which message of which chat a publication is about, if it has a position there. */
function headOf(message: NodeMessage): ChatPosition | undefined {
  if ('head' in message) return message.head;
  return 'frame' in message ? message.position : undefined;
}

/** A node of a {@link SimulatedNetwork}. */
export class SimulatedTransport implements BusTransport {
  readonly isShared = true;
  readonly #network: SimulatedNetwork;
  readonly #handlers: SimulatedHandlers;
  readonly #subscribers = new Map<Topic, (message: BusMessage) => void>();
  readonly #outboxes = new Map<SimulatedTransport, { topic: Topic; message: NodeMessage }[]>();
  /** Heads of chats that the others do not know of. */
  readonly unsent: { topic: Topic; head: ChatPosition }[] = [];
  #isConnected = true;

  constructor(network: SimulatedNetwork, handlers: SimulatedHandlers) {
    this.#network = network;
    this.#handlers = handlers;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Pushes on their way to another node that arrive in their order. */
  outbox(to: SimulatedTransport): { topic: Topic; message: NodeMessage }[] {
    const known = this.#outboxes.get(to) ?? [];
    this.#outboxes.set(to, known);
    return known;
  }

  /** Begins an outage. */
  cut(): void {
    this.#isConnected = false;
  }

  /** Ends the outage. */
  restore(): void {
    if (this.#isConnected) return;
    this.#isConnected = true;
    this.#handlers.reconcile();
    for (const { topic, head } of this.unsent.splice(0)) this.#network.send(this, topic, { head });
    this.#network.restored(this);
  }

  /** Takes what another node sent, unless this one is away. */
  arrive(topic: Topic, message: NodeMessage): void {
    if (!this.#isConnected) return;
    this.receive(topic, 'frame' in message ? { ...message, except: undefined } : message);
  }

  publish(topic: Topic, message: BusMessage): void {
    this.#subscribers.get(topic)?.(message);
    this.#network.send(this, topic, message);
  }

  publishHead(topic: Topic, head: ChatPosition): void {
    this.#handlers.catchUp(topic, head);
    this.#network.send(this, topic, { head });
  }

  subscribe(topic: Topic, deliver: (message: BusMessage) => void): Unsubscribe {
    this.#subscribers.set(topic, deliver);
    return () => this.#subscribers.delete(topic);
  }

  receive(topic: Topic, message: NodeMessage): void {
    if ('head' in message) this.#handlers.catchUp(topic, message.head);
    else this.#subscribers.get(topic)?.(message);
  }

  async settled(): Promise<void> {}

  checkpoint(): () => boolean {
    return () => true;
  }

  async close(): Promise<void> {
    this.#isConnected = false;
  }
}
