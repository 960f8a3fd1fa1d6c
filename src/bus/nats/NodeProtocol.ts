import type { Guard } from '../../net/guard.ts';
import type { BusMessage, ChatPosition, NodeMessage } from '../bus.ts';
import type { Topic } from '../topics.ts';
import { Confirmations } from './Confirmations.ts';
import { FlowControl } from './FlowControl.ts';
import type { NatsLink } from './link.ts';
import { takesBatches } from './nodeId.ts';
import { OutgoingStream } from './OutgoingStream.ts';
import { type Effects, Peers } from './Peers.ts';
import type { Hello, PeerMessage } from './peerMessages.ts';
import { SendPolicy } from './SendPolicy.ts';
import { createSender, NODES, type Sender } from './sender.ts';

/** Callbacks for what this node may have missed; see `TransportHandlers`. */
interface Handlers {
  reconcile(): void;
  resynchronise(): void;
}

/**
 * Talks with the other nodes about what was published, and sends what is published here. The decisions are made by
 * {@link Peers}, {@link OutgoingStream}, {@link Confirmations} and {@link SendPolicy}, which neither send nor wait.
 */
export class NodeProtocol {
  readonly #node: string;
  readonly #link: NatsLink;
  readonly #handlers: Handlers;
  readonly #peers: Peers;
  readonly #stream: OutgoingStream;
  readonly #confirmations = new Confirmations(performance.now());
  readonly #policy = new SendPolicy(performance.now());
  readonly #sender: Sender;
  readonly #flow: FlowControl;

  constructor(node: string, link: NatsLink, guard: Guard, handlers: Handlers) {
    this.#node = node;
    this.#link = link;
    this.#handlers = handlers;
    this.#peers = new Peers(node, performance.now());
    this.#stream = new OutgoingStream(node);
    this.#sender = createSender(link, () => this.#policy.sendsBatches, guard);
    const announce = (message: PeerMessage) => this.#announce(message);
    const beat = () => this.#sendBeat();
    this.#flow = new FlowControl({ link, sender: this.#sender, stream: this.#stream, announce, beat }, guard);
  }

  /** Sends a message in the way of its kind. */
  publish(topic: Topic, message: BusMessage): void {
    if ('signal' in message) {
      this.#confirmations.unconfirmed.addSignal();
      this.#flow.send(topic, message);
    } else if (message.position) {
      this.#publishStored(topic, message, message.position);
    } else if (message.isTransient) {
      if (!this.#policy.isAlone && this.#flow.hasRoom) this.#flow.send(topic, message);
    } else {
      this.#stream.add(topic, message);
      this.#flow.pump();
    }
  }

  /** Publishes how far a chat is. */
  publishHead(topic: Topic, head: ChatPosition): void {
    this.#confirmations.unconfirmed.addHead(topic, head);
    this.#flow.send(topic, { head });
  }

  /** Takes note of a message of another node. Returns whether to deliver it. */
  receive(message: NodeMessage): boolean {
    return 'head' in message || !message.origin || this.#peers.receive(message.origin, performance.now());
  }

  /** Takes an announcement, or a question, of another node. */
  handle(message: PeerMessage): void {
    if ('node' in message && !takesBatches(message.node)) this.#noteUnbatched();
    this.#endSolitude();
    switch (message.kind) {
      case 'hello':
        return this.#resend(message.from[this.#node] ?? message.others, message);
      case 'ask':
        return message.of === this.#node ? this.#resend(message.from) : undefined;
      case 'start':
      case 'beat':
      case 'bye':
        this.#act(this.#peers.handle(message, performance.now()));
        if ('to' in message && message.to === this.#node && message.roster?.alive.every(takesBatches))
          this.#chooseWay(true);
    }
  }

  /** Begins a connection: asks for what was missed, and sends again what may be lost. */
  connected(hasListeners: boolean): void {
    const now = performance.now();
    const { unconfirmed, confirmed, confirmedAt } = this.#confirmations;
    const since = this.#policy.connected(now) ?? (unconfirmed.needsReconcile ? confirmedAt : undefined);
    const start = this.#stream.restart(confirmed, since === undefined ? undefined : now - since);
    const hello = this.#peers.connected(now, hasListeners);
    this.#announce(start);
    this.#announce(hello);
    for (const { topic, head } of unconfirmed.heads()) this.#flow.send(topic, { head });
    this.#flow.pump();
    this.#act(this.#peers.check(now));
    void this.#link.flush().then((isThere) => isThere && this.#handlers.reconcile());
  }

  /** Ends a connection. What was not confirmed is sent again over the next one. */
  disconnected(): void {
    this.#sender.clear();
    this.#peers.disconnected(performance.now(), this.#confirmations.confirmedAt);
  }

  /** Sends a beat, and gives up on nodes that do not answer. To be called every second. */
  beat(): void {
    if (!this.#link.isUp) return;
    this.#chooseWay();
    this.#sendBeat();
    this.#act(this.#peers.check(performance.now()));
  }

  /** Resolves after a round trip to NATS. */
  flush(): Promise<boolean> {
    this.#sender.send();
    return this.#link.flush();
  }

  /** Returns a function that returns true once NATS has confirmed the numbered publications so far. */
  checkpoint(): () => boolean {
    const { next } = this.#stream;
    return () => this.#confirmations.confirmed >= next;
  }

  /** Sends everything that waits, and says goodbye. */
  stop(): void {
    this.#endSolitude();
    this.#flow.sendAll();
    this.#announce(this.#stream.bye());
  }

  #publishStored(topic: Topic, message: BusMessage, position: ChatPosition): void {
    if (this.#policy.isAlone) {
      if (!this.#policy.hasWithheld) this.#policy.withhold(performance.now());
      return;
    }
    this.#confirmations.unconfirmed.addHead(topic, position);
    this.#flow.send(topic, message);
  }

  #chooseWay(hasAnswer = false): void {
    const now = performance.now();
    this.#policy.choose(this.#peers.count(now), now, hasAnswer);
  }

  /** Sends another node, which is there now, to the database for what was withheld. */
  #endSolitude(): void {
    const since = this.#policy.endSolitude();
    if (since === undefined) return;
    this.#announce(this.#stream.sendToDatabase(performance.now() - since));
    this.#flow.pump();
  }

  /**
   * Sends again what a node may have missed that does not take batches and was not known. It said that it is here
   * before it subscribed to anything, so NATS has not confirmed what it missed.
   */
  #noteUnbatched(): void {
    const now = performance.now();
    if (!this.#policy.noteUnbatched(now)) return;
    this.#sender.send();
    const { confirmed, confirmedAt } = this.#confirmations;
    if (this.#sender.batchedAt < confirmedAt) return;
    this.#announce(this.#stream.resendUnconfirmed(confirmed, performance.now() - confirmedAt));
    this.#flow.pump();
  }

  /** Sends everything from a number on once more, before what comes next. */
  #resend(from: number | undefined, hello?: Hello): void {
    const answer = hello && { to: hello.node, roster: this.#peers.roster(hello, performance.now()) };
    this.#announce(this.#stream.resend(from, answer));
    this.#flow.pump();
  }

  #act({ ask, reconcile, mustResynchronise }: Effects): void {
    if (ask) this.#announce(ask);
    if (reconcile !== undefined) this.#handlers.reconcile();
    if (mustResynchronise) this.#handlers.resynchronise();
  }

  #sendBeat(): void {
    this.#announce(this.#stream.nextBeat());
    void this.#confirm();
  }

  /** Sends an announcement to all nodes, behind everything that was sent before. */
  #announce(message: PeerMessage): void {
    this.#sender.send();
    this.#link.publish(NODES, JSON.stringify(message));
  }

  /** Has NATS confirm what was published before. */
  async #confirm(): Promise<void> {
    if (!this.#link.isUp) return;
    const confirmation = this.#confirmations.begin(performance.now(), this.#stream.sentAtBeat);
    if (confirmation) this.#confirmations.end(confirmation, await this.flush());
  }
}
