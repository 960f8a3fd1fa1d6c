import type { Logger } from 'pino';
import { createGuard, type Guard } from '../../net/guard.ts';
import type { BusMessage, BusTransport, ChatPosition, NodeMessage, Unsubscribe } from '../bus.ts';
import { createMemoryTransport } from '../memory.ts';
import type { Topic } from '../topics.ts';
import { decode, decodeBatch } from './codec.ts';
import { openNatsLink } from './connection.ts';
import type { NatsOptions } from './connectOptions.ts';
import type { LinkEvents, NatsLink } from './link.ts';
import { NodeProtocol } from './NodeProtocol.ts';
import { newNodeId } from './nodeId.ts';
import { RoundTrips } from './RoundTrips.ts';
import { BATCHES, NODES, subjectOf } from './sender.ts';

export interface NatsTransport extends BusTransport {
  readonly connected: boolean;
  /** Topics with a subscriber on this node. */
  readonly subscriptions: number;
}

/** Callbacks for messages that were lost on the way. */
export interface TransportHandlers {
  /** A chat has reached `head`, and some of its messages may not have arrived. */
  catchUp(topic: Topic, head: ChatPosition): void;
  /**
   * Signals or heads of chats may not have arrived: this node must compare with the database. Called after every outage
   * of this node, and when another node reconnects.
   */
  reconcile(): void;
  /** More pushes beside messages were missed than any node has kept: the subscribers here must synchronise. */
  resynchronise(): void;
}

/** Opens the connection to NATS, whose events are called from then on. */
export type OpenLink = (events: LinkEvents) => Promise<NatsLink>;

/** Milliseconds between two beats. */
const BEAT_INTERVAL = 1_000;

/**
 * Creates the bus of several nodes. Messages travel over NATS (https://docs.nats.io); local subscribers receive them at
 * once. Everything that is published in one turn of the event loop goes as one batch to all nodes, which look for the
 * topics that they have subscribers of. Beside that there is a subject per topic, subscribed to while the topic has a
 * subscriber on this node: for large messages, while there are many nodes, and while there are nodes of earlier
 * releases, which do not take batches (see `SendPolicy`). Which of them a message takes makes no difference to its
 * order, nor to what is received. A node that is alone does not send messages of chats; a node that starts later is
 * sent to the database for them.
 *
 * NATS keeps nothing for nodes that are away; each kind of message has its own way to reach them:
 *
 * - Messages of chats, by their position: a node publishes again how far the chats are that NATS has not confirmed (see
 *   `Confirmations`), and the others read them from the database.
 * - Signals are not kept. Their effect is in the database, `unwatch` included: after an outage, its own or that of
 *   another node, a node compares its connections with the database when `reconcile` is called.
 * - Other pushes, such as edits, are numbered by the node that publishes them, kept for a while, and sent again to
 *   nodes that did not receive them (see `Peers` and `OutgoingStream`). What is not kept any more, or was published by
 *   a node that is not there any more, is reported by `resynchronise`.
 * - Transient ones, such as `typing`, are published once.
 */
export function createNatsTransport(
  options: NatsOptions,
  log: Logger,
  handlers: TransportHandlers,
): Promise<NatsTransport> {
  return createTransportOver((events) => openNatsLink(options, log, events), createGuard(log), handlers);
}

/** The same over a connection of the caller's. */
export async function createTransportOver(
  open: OpenLink,
  guard: Guard,
  handlers: TransportHandlers,
): Promise<NatsTransport> {
  const node = newNodeId();
  const link = await open({
    connected: () => transport.connect(),
    disconnected: () => transport.disconnect(),
  });
  const transport = new LinkTransport(node, link, guard, handlers);
  return transport;
}

/** Connects the decisions of a {@link NodeProtocol} with NATS, the subscribers of this node, and the clock. */
class LinkTransport implements NatsTransport {
  readonly isShared = true;
  readonly #link: NatsLink;
  readonly #local: BusTransport;
  readonly #protocol: NodeProtocol;
  readonly #roundTrips: RoundTrips;
  /** Subscribed topics, each with the function that ends the subscription to its subject. */
  readonly #topics = new Map<Topic, () => void>();
  readonly #beats: NodeJS.Timeout;

  constructor(node: string, link: NatsLink, guard: Guard, handlers: TransportHandlers) {
    this.#link = link;
    this.#local = createMemoryTransport(handlers.catchUp);
    this.#protocol = new NodeProtocol(node, link, guard, handlers);
    this.#roundTrips = new RoundTrips(() => this.#protocol.flush());
    const receive = guard('receiving from another node', this.#receive.bind(this));
    link.subscribe(NODES, (payload) => this.#protocol.handle(JSON.parse(payload.toString())));
    link.subscribe(BATCHES, (payload) => decodeBatch(payload, this.#topics, receive));
    const beat = guard('the beat of this node', () => this.#protocol.beat());
    this.#beats = setInterval(beat, BEAT_INTERVAL).unref();
  }

  get isConnected(): boolean {
    return this.#link.isUp;
  }

  get connected(): boolean {
    return this.#link.isUp;
  }

  get subscriptions(): number {
    return this.#topics.size;
  }

  /** Called when the connection to NATS was made. */
  connect(): void {
    this.#protocol.connected(this.#topics.size > 0);
  }

  /** Called when the connection to NATS broke. */
  disconnect(): void {
    this.#protocol.disconnected();
  }

  publish(topic: Topic, message: BusMessage): void {
    this.#local.publish(topic, message);
    this.#protocol.publish(topic, message);
  }

  publishHead(topic: Topic, head: ChatPosition): void {
    this.#local.publishHead(topic, head);
    this.#protocol.publishHead(topic, head);
  }

  subscribe(topic: Topic, deliver: (message: BusMessage) => void): Unsubscribe {
    const unsubscribe = this.#local.subscribe(topic, deliver);
    this.#topics.set(
      topic,
      this.#link.subscribe(subjectOf(topic), (payload) => this.#receive(topic, decode(payload.toString()))),
    );
    return () => {
      unsubscribe();
      this.#topics.get(topic)?.();
      this.#topics.delete(topic);
    };
  }

  receive(topic: Topic, message: NodeMessage): void {
    this.#local.receive(topic, message);
  }

  /** Resolves after a round trip that begins after the call. Without NATS there is nothing to wait for. */
  settled(): Promise<void> {
    return this.#roundTrips.settled();
  }

  checkpoint(): () => boolean {
    return this.#protocol.checkpoint();
  }

  async close(): Promise<void> {
    clearInterval(this.#beats);
    this.#protocol.stop();
    await this.#link.close();
  }

  #receive(topic: Topic, message: NodeMessage): void {
    if (this.#protocol.receive(message)) this.#local.receive(topic, message);
  }
}
