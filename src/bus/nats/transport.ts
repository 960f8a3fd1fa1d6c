import type { Logger } from 'pino';
import { createGuard } from '../../net/guard.ts';
import type { BusTransport, ChatPosition, NodeMessage } from '../bus.ts';
import { createMemoryTransport } from '../memory.ts';
import type { Topic } from '../topics.ts';
import { decode, decodeBatch } from './codec.ts';
import { openNatsLink } from './connection.ts';
import type { NatsOptions } from './connectOptions.ts';
import { newNodeId, takesBatches } from './nodeId.ts';
import { type Effects, type Hello, type PeerMessage, Peers, type Start } from './peers.ts';
import { RecentPublications, Unconfirmed } from './replay.ts';
import { BATCHES, createSender, NODES, subjectOf } from './sender.ts';

export interface NatsTransport extends BusTransport {
  readonly connected: boolean;
  /** Topics that somebody on this node listens to. */
  readonly subscriptions: number;
}

/** Callbacks for what the bus has lost. */
export interface TransportHandlers {
  /** A chat is that far, and something of it may not have come. */
  lost(topic: Topic, head: ChatPosition): void;
  /**
   * Signals, or how far chats are, may not have arrived: the database says.
   * Called after every outage of this node, and again when a node comes back that was away itself.
   */
  returned(): void;
  /** More was published meanwhile, beside messages, than anybody has kept: who listens here must read it anew. */
  forgotten(): void;
}

/** Milliseconds between two beats. */
const BEAT_INTERVAL = 1_000;
/** Bytes after which NATS is asked to confirm. */
const FLUSH_BYTES = 1024 * 1024;
/** Bytes that may wait to be confirmed before publications that are kept wait here, and passing ones are dropped. */
const WINDOW_BYTES = 4 * 1024 * 1024;
/** Bytes of publications that are sent in one go, which takes a few milliseconds. */
const SLICE_BYTES = 256 * 1024;
/** Other nodes up to which batches are sent: with more, a node spends more on what it has no use for than it saves. */
const MAX_BATCHING_PEERS = 15;
/** Milliseconds after connecting in which other nodes answer, if there are any. */
const ANSWER_PATIENCE = 2_000;
/** Milliseconds after which a node that does not take batches, and is not heard any more, is taken for dead. */
const OLD_SILENCE = 60_000;

/**
 * The bus of several nodes: NATS carries (https://docs.nats.io), local subscribers are told at once. Everything that is
 * published in one turn of the event loop goes as one batch to all nodes, which look for what somebody there listens to.
 * Beside that there is a subject per topic, subscribed to while somebody on this node listens: for large messages, while
 * there are many nodes, and while there are nodes of earlier releases, which do not take batches (see `createSender`).
 * Which of them a message takes makes no difference to its order, nor to what is received. A node that is alone does not
 * send messages of chats; who comes then is sent to the database for them.
 *
 * NATS keeps nothing for nodes that are away; each kind of message has its own way to arrive all the same:
 *
 * - Messages of chats, by their place: a node tells again how far the chats are that NATS has not confirmed, and the
 *   others read them from the database.
 * - Signals are not kept. Their effect is in the database, `unwatch` included: a node that was away, or to which one
 *   comes back that was away, is told by `returned` to compare its connections with the database.
 * - Other pushes, such as edits, are numbered by the node that publishes them, kept for a while, and sent again to
 *   nodes that did not receive them (see `Peers`). What is not kept any more, or was published by a node that is gone,
 *   is reported by `forgotten`.
 * - Passing ones, such as `typing`, are published once.
 */
export async function createNatsTransport(
  options: NatsOptions,
  log: Logger,
  { lost, returned, forgotten }: TransportHandlers,
): Promise<NatsTransport> {
  const local = createMemoryTransport(lost);
  const topics = new Map<Topic, () => void>();
  const guard = createGuard(log);
  const node = newNodeId();
  const recent = new RecentPublications(node);
  const peers = new Peers(node, performance.now());
  let unconfirmed = new Unconfirmed();
  /** Until then everything was confirmed. */
  let confirmedAt = performance.now();
  /** Publications before this number were confirmed, and other nodes know that they were sent. */
  let confirmed = 0;
  let isConfirming = false;
  let beat = 0;
  /** Publications before this number were sent before the last beat. */
  let sentAtBeat = 0;
  /** A beat is due as soon as all publications are sent: nodes wait for it. */
  let owesBeat = false;
  let isPumping = false;
  let isMakingRoom = false;
  let settling: Promise<void> | undefined;
  let settledNext: Promise<void> | undefined;
  /** When a node that does not take batches was heard last. */
  let oldHeardAt = Number.NEGATIVE_INFINITY;
  let sendsBatches = false;
  let connectedAt = performance.now();
  /** True while no other node is there: messages of chats are not sent. */
  let isAlone = false;
  /** When the first message was not sent of which no node was told since. */
  let unsentSince: number | undefined;

  const link = await openNatsLink(options, log, {
    connected,
    disconnected,
  });
  const sender = createSender(link, () => sendsBatches, guard);
  link.subscribe(NODES, (payload) => hearNode(JSON.parse(payload.toString())));
  const receiveOne = guard('receiving from another node', receive);
  link.subscribe(BATCHES, (payload) => decodeBatch(payload, topics, receiveOne));
  const beats = setInterval(guard('the beat of this node', doBeat), BEAT_INTERVAL).unref();

  return {
    isShared: true,
    get isConnected() {
      return link.isUp;
    },
    get connected() {
      return link.isUp;
    },
    get subscriptions() {
      return topics.size;
    },
    publish(topic, message) {
      local.publish(topic, message);
      if ('signal' in message) {
        unconfirmed.addSignal();
        send(topic, message);
      } else if (message.place) {
        if (isAlone) {
          unsentSince ??= performance.now();
          return;
        }
        unconfirmed.addHead(topic, message.place);
        send(topic, message);
      } else if (message.isPassing) {
        if (!isAlone && inFlight() < WINDOW_BYTES) send(topic, message);
      } else {
        recent.add(topic, message);
        pump();
      }
    },
    publishHead(topic, head) {
      lost(topic, head);
      unconfirmed.addHead(topic, head);
      send(topic, { head });
    },
    subscribe(topic, deliver) {
      const unsubscribe = local.subscribe(topic, deliver);
      topics.set(
        topic,
        link.subscribe(subjectOf(topic), (payload) => receive(topic, decode(payload.toString()))),
      );
      return () => {
        unsubscribe();
        topics.get(topic)?.();
        topics.delete(topic);
      };
    },
    receive: local.receive,
    /**
     * A round trip that begins after the call; whoever asks during one shares the next. Without NATS there is nothing to
     * wait for.
     */
    settled() {
      if (!settling) return flush();
      settledNext ??= settling.then(() => {
        settledNext = undefined;
        return flush();
      });
      return settledNext;
    },
    async close() {
      clearInterval(beats);
      endSolitude();
      sendAll();
      tell({ kind: 'bye', node, next: recent.position.next });
      await link.close();
    },
  };

  function flush(): Promise<void> {
    sender.send();
    const done = link.flush().then(() => {
      settling = undefined;
    });
    settling = done;
    return done;
  }

  function doBeat(): void {
    if (!link.isUp) return;
    if (performance.now() - connectedAt > ANSWER_PATIENCE) chooseWay();
    sendBeat();
    void confirm();
    act(peers.check(performance.now()));
  }

  function disconnected(): void {
    // It is sent again: see `unconfirmed` and `recent`.
    sender.clear();
    peers.disconnected(performance.now(), confirmedAt);
  }

  function connected(): void {
    const now = performance.now();
    const reconcileSince = unsentSince ?? (unconfirmed.needsReconcile ? confirmedAt : undefined);
    connectedAt = now;
    isAlone = false;
    sendsBatches = false; // until it is known who is there
    unsentSince = undefined;
    recent.restart(confirmed);
    sentAtBeat = confirmed;
    const hello = peers.connected(now, topics.size > 0);
    tell({
      ...startOfStream(),
      reconcile: reconcileSince === undefined ? undefined : now - reconcileSince,
    });
    tell(hello);
    for (const { topic, head } of unconfirmed.heads()) send(topic, { head });
    owesBeat = true;
    pump();
    act(peers.check(now));
    void link.flush().then((isThere) => isThere && returned());
  }

  /** Decides whether to send batches, which every node that is there must take, and messages at all. */
  function chooseWay(): void {
    const now = performance.now();
    const others = peers.count(now);
    sendsBatches = now - oldHeardAt > OLD_SILENCE && others <= MAX_BATCHING_PEERS;
    isAlone = others === 0 && now - connectedAt > ANSWER_PATIENCE;
  }

  /** Another node is there: it has to look into the database for what was not sent. */
  function endSolitude(): void {
    isAlone = false;
    if (unsentSince === undefined) return;
    const continues = { reached: recent.position.from, sent: recent.sent };
    tell({ ...startOfStream(), continues, reconcile: performance.now() - unsentSince });
    unsentSince = undefined;
    owesBeat = true;
    pump();
  }

  /**
   * Sends again what a node may have missed that does not take batches and was not known. It said that it is here
   * before it subscribed to anything, so NATS has not confirmed what it missed.
   */
  function makeUpForBatches(): void {
    sendsBatches = false;
    sender.send();
    if (sender.batchedAt < confirmedAt) return;
    recent.rewind(Math.max(confirmed, recent.position.oldest));
    const { from } = recent.position;
    const continues = { reached: from, sent: from }; // what was sent in batches, it has not
    tell({ ...startOfStream(), continues, reconcile: performance.now() - confirmedAt });
    owesBeat = true;
    pump();
  }

  function hearNode(message: PeerMessage): void {
    if ('node' in message && !takesBatches(message.node)) {
      oldHeardAt = performance.now();
      if (sendsBatches) makeUpForBatches();
    }
    endSolitude();
    switch (message.kind) {
      case 'hello':
        return sendAgain(message.from[node] ?? message.others, message);
      case 'ask':
        return message.of === node ? sendAgain(message.from) : undefined;
      case 'start':
      case 'beat':
      case 'bye':
        act(peers.handle(message, performance.now()));
        if ('to' in message && message.to === node && message.roster?.alive.every(takesBatches)) chooseWay();
    }
  }

  function act({ ask, reconcile, isForgotten }: Effects): void {
    if (ask) tell(ask);
    if (reconcile !== undefined) returned();
    if (isForgotten) forgotten();
  }

  function receive(topic: Topic, message: NodeMessage): void {
    if ('head' in message || !message.origin || peers.receive(message.origin, performance.now()))
      local.receive(topic, message);
  }

  /** Sends everything from a number on once more, before what comes next. */
  function sendAgain(from: number | undefined, hello?: Hello): void {
    const continues = { reached: recent.position.from, sent: recent.sent };
    if (from !== undefined) recent.rewind(from);
    const answer = hello && { to: hello.node, roster: peers.roster(hello, performance.now()) };
    tell({ ...startOfStream(), continues, ...answer });
    owesBeat = true;
    pump();
  }

  /** Sends the publications that wait, as many as fit between two other things this node has to do. */
  function pump(): void {
    if (isPumping || !link.isUp) return;
    if (recent.hasGap) skipGap();
    let bytes = 0;
    while (link.isUp && recent.hasUnsent && bytes < SLICE_BYTES && inFlight() < WINDOW_BYTES)
      bytes += sendNext();
    if (!link.isUp) return;
    if (!recent.hasUnsent) {
      if (!owesBeat) return;
      sendBeat();
      void confirm();
    } else if (inFlight() >= WINDOW_BYTES) {
      void makeRoom();
    } else {
      isPumping = true;
      setImmediate(
        guard('sending what waits for NATS', () => {
          isPumping = false;
          pump();
        }),
      );
    }
  }

  /** Sends everything that waits, however long it takes. */
  function sendAll(): void {
    if (recent.hasGap) skipGap();
    while (link.isUp && recent.hasUnsent) sendNext();
  }

  function sendNext(): number {
    const next = recent.shift();
    return next ? send(next.topic, next.message) : 0;
  }

  /** Says that publications are not kept any more that were not sent. */
  function skipGap(): void {
    const continues = { reached: recent.position.from, sent: recent.sent };
    recent.skipGap();
    tell({ ...startOfStream(), continues });
    owesBeat = true;
  }

  function startOfStream(): Start {
    return { kind: 'start', node, beat, ...recent.position };
  }

  function sendBeat(): void {
    sentAtBeat = recent.position.from;
    owesBeat = recent.hasUnsent;
    tell({ kind: 'beat', node, beat: ++beat, sent: sentAtBeat });
  }

  function tell(message: PeerMessage): void {
    sender.send();
    link.publish(NODES, JSON.stringify(message));
  }

  function send(topic: Topic, message: NodeMessage): number {
    if (!link.isUp) return 0;
    const bytes = sender.add(topic, message);
    if (link.unflushed > FLUSH_BYTES) void makeRoom();
    return bytes;
  }

  function inFlight(): number {
    return link.inFlight + sender.waiting;
  }

  /** Has NATS confirm what is in flight, then sends what waits. */
  async function makeRoom(): Promise<void> {
    if (isMakingRoom) return;
    isMakingRoom = true;
    sender.send();
    await link.flush();
    isMakingRoom = false;
    pump();
  }

  /** What was published before a flush that is confirmed, NATS has. */
  async function confirm(): Promise<void> {
    if (isConfirming || !link.isUp) return;
    isConfirming = true;
    sender.send();
    const asked = { unconfirmed, at: performance.now(), sent: sentAtBeat };
    unconfirmed = new Unconfirmed();
    if (await link.flush()) {
      confirmedAt = asked.at;
      confirmed = Math.max(confirmed, asked.sent);
    } else {
      unconfirmed.addAll(asked.unconfirmed);
    }
    isConfirming = false;
  }
}
