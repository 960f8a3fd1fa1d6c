import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { createGuard } from '../../net/guard.ts';
import type { Carrier, NodeMessage, Place, Topic } from '../bus.ts';
import { createMemoryBus } from '../memory.ts';
import { decode, encode } from './codec.ts';
import { type NatsOptions, openNatsLink } from './connection.ts';
import { type Effects, type Hello, type PeerMessage, Peers, type Start } from './peers.ts';
import { RecentPublications, Unconfirmed } from './replay.ts';

export interface NatsCarrier extends Carrier {
  readonly connected: boolean;
  /** Topics that somebody on this node listens to. */
  readonly subscriptions: number;
}

/** Callbacks for what the bus has lost. */
export interface Losses {
  /** A chat is that far, and something of it may not have come. */
  lost(topic: Topic, head: Place): void;
  /**
   * Signals, or how far chats are, may not have arrived: the database says.
   * Called after every outage of this node, and again when a node comes back that was away itself.
   */
  returned(): void;
  /** More was published meanwhile, beside messages, than anybody has kept: who listens here must read it anew. */
  forgotten(): void;
}

/** Begins every subject. */
const PREFIX = 'parley';
/** The subject on which all nodes hear of each other. */
const NODES = `${PREFIX}.nodes`;
/** Milliseconds between two beats. */
const BEAT_INTERVAL = 1_000;
/** Bytes after which NATS is asked to confirm. */
const FLUSH_BYTES = 1024 * 1024;
/** Bytes that may wait to be confirmed before publications that are kept wait here, and passing ones are dropped. */
const WINDOW_BYTES = 4 * 1024 * 1024;
/** Bytes of publications that are sent in one go, which takes a few milliseconds. */
const SLICE_BYTES = 256 * 1024;

/**
 * The bus of several nodes: NATS carries (https://docs.nats.io), local subscribers are told at once. A subject per
 * topic, subscribed to while somebody on this node listens, so that a node without members of a chat gets nothing of
 * it. NATS keeps nothing for nodes that are away; each kind of message has its own way to arrive all the same:
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
export async function createNatsCarrier(
  options: NatsOptions,
  log: Logger,
  { lost, returned, forgotten }: Losses,
): Promise<NatsCarrier> {
  const local = createMemoryBus(lost);
  const topics = new Map<Topic, () => void>();
  const guard = createGuard(log);
  const node = randomBytes(6).toString('base64url');
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
  let last: { readonly message: NodeMessage; readonly payload: Uint8Array } | undefined;

  const link = await openNatsLink(options, log, {
    connected,
    disconnected: () => peers.disconnected(performance.now(), confirmedAt),
  });
  link.subscribe(NODES, (payload) => hearNode(JSON.parse(payload)));
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
        unconfirmed.addHead(topic, message.place);
        if (link.isUp && !send(topic, message)) send(topic, { head: message.place });
      } else if (message.isPassing) {
        if (link.inFlight < WINDOW_BYTES) send(topic, message);
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
        link.subscribe(subjectOf(topic), (payload) => receive(topic, decode(payload))),
      );
      return () => {
        unsubscribe();
        topics.get(topic)?.();
        topics.delete(topic);
      };
    },
    hear: local.hear,
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
      sendAll();
      tell({ kind: 'bye', node, next: recent.position.next });
      await link.close();
    },
  };

  function flush(): Promise<void> {
    const done = link.flush().then(() => {
      settling = undefined;
    });
    settling = done;
    return done;
  }

  function doBeat(): void {
    if (!link.isUp) return;
    sendBeat();
    void confirm();
    act(peers.check(performance.now()));
  }

  function connected(): void {
    const now = performance.now();
    recent.restart(confirmed);
    sentAtBeat = confirmed;
    const hello = peers.connected(now, topics.size > 0);
    tell({
      ...startOfStream(),
      reconcile: unconfirmed.needsReconcile ? now - confirmedAt : undefined,
    });
    tell(hello);
    for (const { topic, head } of unconfirmed.heads()) send(topic, { head });
    owesBeat = true;
    pump();
    act(peers.check(now));
    void link.flush().then((isThere) => isThere && returned());
  }

  function hearNode(message: PeerMessage): void {
    switch (message.kind) {
      case 'hello':
        return sendAgain(message.from[node] ?? message.others, message);
      case 'ask':
        return message.of === node ? sendAgain(message.from) : undefined;
      case 'start':
      case 'beat':
      case 'bye':
        return act(peers.handle(message, performance.now()));
    }
  }

  function act({ ask, reconcile, isForgotten }: Effects): void {
    if (ask) tell(ask);
    if (reconcile !== undefined) returned();
    if (isForgotten) forgotten();
  }

  function receive(topic: Topic, message: NodeMessage): void {
    if ('head' in message || !message.origin || peers.receive(message.origin, performance.now()))
      local.hear(topic, message);
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
    while (recent.hasUnsent && bytes < SLICE_BYTES && link.inFlight < WINDOW_BYTES) bytes += sendNext();
    if (!recent.hasUnsent) {
      if (!owesBeat) return;
      sendBeat();
      void confirm();
    } else if (link.inFlight >= WINDOW_BYTES) {
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
    if (!next) return 0;
    const payload = payloadOf(next.message);
    sendPayload(next.topic, payload);
    return payload.length;
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
    link.publish(NODES, JSON.stringify(message));
  }

  function send(topic: Topic, message: NodeMessage): boolean {
    return link.isUp && sendPayload(topic, payloadOf(message));
  }

  function sendPayload(topic: Topic, payload: Uint8Array): boolean {
    const isSent = link.publish(subjectOf(topic), payload);
    if (link.unflushed > FLUSH_BYTES) void makeRoom();
    return isSent;
  }

  /** Made once for the topics that get the same message one after another, as both people of a dialog do. */
  function payloadOf(message: NodeMessage): Uint8Array {
    if (last?.message !== message) last = { message, payload: Buffer.from(encode(message)) };
    return last.payload;
  }

  /** Has NATS confirm what is in flight, then sends what waits. */
  async function makeRoom(): Promise<void> {
    if (isMakingRoom) return;
    isMakingRoom = true;
    await link.flush();
    isMakingRoom = false;
    pump();
  }

  /** What was published before a flush that is confirmed, NATS has. */
  async function confirm(): Promise<void> {
    if (isConfirming || !link.isUp) return;
    isConfirming = true;
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

const subjectOf = (topic: Topic): string => `${PREFIX}.${topic.replace(':', '.')}`;
