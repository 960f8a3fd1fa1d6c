import type { Origin } from '../bus.ts';
import { Peer, type PeerState } from './Peer.ts';
import type { Ask, Beat, Bye, Departure, Hello, Roster, Start } from './peerMessages.ts';

/** Actions after a message of a peer was received. */
export interface Effects {
  readonly ask?: Ask;
  /** Milliseconds for which something that the database knows may not have arrived. */
  readonly reconcile?: number;
  /** Publications were missed that no node can send again. */
  readonly mustResynchronise?: boolean;
}

/** Milliseconds for which nodes that are not there any more are remembered. */
const REMEMBERED = 3_600_000;
/** Milliseconds that durations measured by two nodes may differ: messages take time, and so does noticing an outage. */
const MARGIN = 10_000;
/** Peers that are remembered at most, beside those that are there. */
const MAX_REMEMBERED = 1_000;

/**
 * Knows what this node has received of every other node, and what it has to ask for after an outage.
 *
 * NATS keeps the order of what one connection publishes, and each node sends its publications in the order of their
 * numbers (go-back-N, RFC 3366): a number that arrives says that everything lower has arrived before, as
 * far as it concerns this node. After an outage of its own, of the other node or on the way between them, this node
 * ignores what comes from the other one, asks for everything behind the last number, and continues with it. So
 * everything arrives once and in order, nothing has to be kept until a gap is filled, and no clock decides: durations
 * are used to give up, never to order.
 *
 * All times are monotonic milliseconds of this node, and are passed in.
 */
export class Peers {
  readonly #self: string;
  readonly #peers = new Map<string, Peer>();
  /** True if this node has been connected since before it had a subscriber: nothing before matters. */
  #isFresh = true;
  #isConnected = false;
  #wasConnected = false;
  /** Since when something may have been missed; undefined once everything has arrived. */
  #awaySince: number | undefined;
  /** The value of `away` at the last `hello`. */
  #away = 0;
  /** True if something was missed that nobody can send again. */
  #isLost = false;

  constructor(self: string, now: number) {
    this.#self = self;
    this.#awaySince = now;
  }

  /** True if everything that other nodes published has arrived, or is known to be lost. */
  get isComplete(): boolean {
    return this.#awaySince === undefined;
  }

  /** Returns how many other nodes are there. */
  count(now: number): number {
    let count = 0;
    for (const peer of this.#peers.values()) if (peer.isPresent(now)) count++;
    return count;
  }

  /** Begins a connection. Returns the question to all nodes; `hasListeners` says if anybody could miss anything. */
  connected(now: number, hasListeners: boolean): Hello {
    if (!this.#wasConnected && hasListeners) this.#isFresh = false;
    this.#isConnected = true;
    this.#wasConnected = true;
    this.#away = now - (this.#awaySince ?? now);
    const from: Record<string, number> = {};
    for (const [node, peer] of this.#peers) {
      peer.connected(now);
      if (peer.missing !== undefined) from[node] = peer.missing;
    }
    const hello: Hello = { kind: 'hello', node: this.#self, from, away: this.#away };
    return this.#isFresh ? hello : { ...hello, others: 0 };
  }

  /** Ends a connection that certainly was there until `since`. */
  disconnected(now: number, since: number): void {
    this.#isConnected = false;
    this.#isFresh = false;
    // Of an outage before the last one was made up for, the earlier beginning counts.
    this.#awaySince ??= since;
    for (const peer of this.#peers.values()) peer.disconnected(now);
  }

  /** Takes note of a publication. Returns whether to deliver it: it is new, and in its turn. */
  receive({ node, number }: Origin, now: number): boolean {
    const peer =
      this.#peers.get(node) ?? (this.#isFresh ? this.#add(node, number - 1, 'current', now) : undefined);
    return peer?.receive(number, now) ?? false;
  }

  /** Takes what a node announces. */
  handle(message: Start | Beat | Bye, now: number): Effects {
    const peer = this.#peers.get(message.node);
    const silence = peer?.noteReceived(now) ?? 0;
    switch (message.kind) {
      case 'start':
        return this.#start(message, peer ?? this.#discover(message, now), now);
      case 'beat':
        return this.#beat(message, peer ?? this.#discover(message, now), now, silence);
      case 'bye':
        return this.#bye(message, peer, now);
    }
  }

  /** Gives up on peers that do not send what was missed. To be called every second or so while connected. */
  check(now: number): Effects {
    if (!this.#isConnected) return {};
    for (const [node, peer] of this.#peers) {
      const { isAwaited } = peer;
      if (peer.giveUpIfStuck(now)) this.#isLost = true;
      if (!isAwaited && now - peer.receivedAt > REMEMBERED) this.#peers.delete(node);
    }
    return this.#settle();
  }

  /** Returns what a node that says hello has to know of the others. */
  roster({ away, others }: Hello, now: number): Roster {
    const alive: string[] = [];
    const departed: Departure[] = [];
    // A new node knows of nobody, and may be asked by others later.
    const window = others === undefined ? REMEMBERED : away + MARGIN;
    for (const [node, peer] of this.#peers) {
      if (peer.isPresent(now)) alive.push(node);
      else if (now - peer.receivedAt <= window) departed.push(peer.departure(now));
    }
    return { alive, departed };
  }

  #start(start: Start, peer: Peer, now: number): Effects {
    const { ask, isLost } = peer.start(start, now);
    if (isLost) this.#isLost = true;
    const { to, roster, reconcile } = start;
    if (to === this.#self && roster) this.#learn(start.node, roster, now);
    return { ...(ask && { ask }), ...(reconcile !== undefined && { reconcile }), ...this.#settle() };
  }

  #beat(beat: Beat, peer: Peer, now: number, silence: number): Effects {
    const { ask, isInterrupted } = peer.beat(beat, now);
    if (!ask) return this.#settle();
    return isInterrupted ? { ask, reconcile: silence } : { ask };
  }

  #bye({ node, next }: Bye, known: Peer | undefined, now: number): Effects {
    const peer = known ?? this.#add(node, this.#isFresh ? next - 1 : -1, 'departed', now);
    if (peer.bye(next)) this.#isLost = true;
    return this.#settle();
  }

  /** Takes note of a node that was not known. */
  #discover(message: Start | Beat, now: number): Peer {
    if (!this.#isFresh) return this.#add(message.node, -1, 'behind', now);
    const first = message.kind === 'start' ? message.from : message.sent;
    return this.#add(message.node, first - 1, 'current', now);
  }

  /** Takes note of what another node knows of the nodes that were there during the outage. */
  #learn(source: string, { alive, departed }: Roster, now: number): void {
    if (this.#isFresh) {
      for (const departure of departed) this.#noteDeparted(departure, now);
      return;
    }
    // The others have forgotten which nodes were there.
    if (this.#away > REMEMBERED - MARGIN) this.#isLost = true;
    for (const node of alive) {
      if (node === this.#self || node === source) continue;
      const peer = this.#peers.get(node) ?? this.#add(node, -1, 'behind', now);
      peer.returned(now);
    }
    for (const departure of departed) this.#learnDeparted(departure, now);
  }

  /** Takes note of a node that departed before this one had a subscriber. */
  #noteDeparted(departure: Departure, now: number): void {
    const { node, next, ago } = departure;
    const known = this.#peers.get(node);
    if (node === this.#self || known?.isReceiving) return;
    const peer = known ?? this.#add(node, (next ?? 0) - 1, 'departed', now - ago);
    peer.noteCount(next);
  }

  /** Takes note of a node that departed while this one may have been away. */
  #learnDeparted({ node, next, ago }: Departure, now: number): void {
    const known = this.#peers.get(node);
    if (node === this.#self || known?.isReceiving) return;
    // Silent since before this node was away.
    const isKnown = next === undefined && known && now - ago <= known.receivedAt + MARGIN;
    if (isKnown && known.state === 'departed') return;
    const peer = known ?? this.#add(node, -1, 'departed', now - ago);
    if (peer.depart(next)) this.#isLost = true;
  }

  /** Ends the outage once nothing more is waited for. Only then it is reported, once, that something is lost. */
  #settle(): Effects {
    if (!this.#isConnected) return {};
    for (const { isAwaited } of this.#peers.values()) if (isAwaited) return {};
    this.#awaySince = undefined;
    if (!this.#isLost) return {};
    this.#isLost = false;
    return { mustResynchronise: true };
  }

  #add(node: string, last: number, state: PeerState, receivedAt: number): Peer {
    if (this.#peers.size >= MAX_REMEMBERED) this.#removeOldest();
    const peer = new Peer(node, last, state, receivedAt);
    this.#peers.set(node, peer);
    return peer;
  }

  #removeOldest(): void {
    for (const [node, { state }] of this.#peers)
      if (state === 'departed') {
        this.#peers.delete(node);
        return;
      }
  }
}
