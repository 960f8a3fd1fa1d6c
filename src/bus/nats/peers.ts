import type { Origin } from '../bus.ts';
import type { StreamPosition } from './replay.ts';

/** Announces what a node sends from here on: all its publications from number `from` on, in order. */
export interface Start extends StreamPosition {
  readonly kind: 'start';
  readonly node: string;
  /** Number of the last beat. */
  readonly beat: number;
  /**
   * On a connection that stays: up to which number the node was with its sending (`reached`), and up to which with
   * everything that it ever sent there (`sent`). Without it the connection is a new one.
   */
  readonly continues?: { readonly reached: number; readonly sent: number };
  /** Milliseconds for which signals or heads of chats of the node may not have arrived. */
  readonly reconcile?: number | undefined;
  /** Node whose `hello` it answers, and what that one may not know of others. */
  readonly to?: string | undefined;
  readonly roster?: Roster | undefined;
}

/** Says how far a node is with its sending, every second and when it has sent what a `start` announced. */
export interface Beat {
  readonly kind: 'beat';
  readonly node: string;
  /** Counts 1, 2, 3 …: one that is missing tells that something was lost on the way. */
  readonly beat: number;
  /** Everything with a lower number was sent before. */
  readonly sent: number;
}

/** Asks all nodes what was missed, after the connection was made. */
export interface Hello {
  readonly kind: 'hello';
  readonly node: string;
  /** Number of the first publication of each known node that did not arrive. */
  readonly from: Readonly<Record<string, number>>;
  /** The same for nodes that are not known; without it, nothing of theirs was missed. */
  readonly others?: number | undefined;
  /** Milliseconds for which the asking node was away. */
  readonly away: number;
}

/** Asks one node to send everything from a number on again. */
export interface Ask {
  readonly kind: 'ask';
  readonly of: string;
  readonly from: number;
}

/** Says that a node stops, having sent all its publications: as many as `next`. */
export interface Bye {
  readonly kind: 'bye';
  readonly node: string;
  readonly next: number;
}

export type PeerMessage = Start | Beat | Hello | Ask | Bye;

/** Other nodes as a node knows them. */
export interface Roster {
  readonly alive: readonly string[];
  readonly departed: readonly Departure[];
}

interface Departure {
  readonly node: string;
  /** Number of publications it made; undefined when it went without a word. */
  readonly next?: number | undefined;
  /** Milliseconds since it was last heard. */
  readonly ago: number;
}

/** Actions after a message of a peer was received. */
export interface Effects {
  readonly ask?: Ask;
  /** Milliseconds for which something that the database knows may not have arrived. */
  readonly reconcile?: number;
  /** Publications were missed that no node can send again. */
  readonly isForgotten?: boolean;
}

/**
 * - `behind`: something was missed, and the peer was asked for it. What it publishes is ignored: it comes again.
 * - `replaying`: the peer is sending what was missed, up to the number `target`.
 * - `current`: everything arrived.
 * - `departed`: the peer said goodbye, or is not waited for any more.
 */
type PeerState = 'behind' | 'replaying' | 'current' | 'departed';

interface Peer {
  state: PeerState;
  /** Every publication up to this number arrived, or did not concern this node. */
  last: number;
  target: number;
  /** Number of the last beat; undefined when any may be next. */
  beat: number | undefined;
  /** When anything of it arrived, in monotonic milliseconds. */
  heardAt: number;
  /** When its replay last made progress, in monotonic milliseconds. */
  progressAt: number;
  /** Number of publications it made, once it is known. */
  count: number | undefined;
}

/** Milliseconds without progress after which a peer is not waited for any more. */
export const PATIENCE = 5_000;
/** Milliseconds of silence after which a peer is taken for dead. */
const SILENCE = 15_000;
/** Milliseconds for which those that are gone are remembered. */
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
 * All times are monotonic milliseconds of this node.
 */
export class Peers {
  readonly #self: string;
  readonly #peers = new Map<string, Peer>();
  /** True if this node has been connected since before anybody listened on it: nothing before matters. */
  #isFresh = true;
  #isConnected = false;
  #wasConnected = false;
  /** Since when something may have been missed; undefined once everything has arrived. */
  #awaySince: number | undefined;
  /** How long it was when `hello` was last said. */
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
    for (const peer of this.#peers.values()) if (this.#isThere(peer, now)) count++;
    return count;
  }

  /** The connection is there. Returns what to ask; `hasListeners` says whether anybody could miss anything. */
  connected(now: number, hasListeners: boolean): Hello {
    if (!this.#wasConnected && hasListeners) this.#isFresh = false;
    this.#isConnected = true;
    this.#wasConnected = true;
    this.#away = now - (this.#awaySince ?? now);
    const from: Record<string, number> = {};
    for (const [node, peer] of this.#peers) {
      peer.progressAt = now;
      if (peer.count === undefined) from[node] = peer.last + 1;
    }
    const hello: Hello = { kind: 'hello', node: this.#self, from, away: this.#away };
    return this.#isFresh ? hello : { ...hello, others: 0 };
  }

  /** The connection is lost; until `since` it certainly was there. */
  disconnected(now: number, since: number): void {
    this.#isConnected = false;
    this.#isFresh = false;
    // Of an outage before the last one was made up for, the earlier beginning counts.
    this.#awaySince ??= since;
    for (const peer of this.#peers.values())
      if (peer.state !== 'departed') peer.state = this.#isSilent(peer, now) ? 'departed' : 'behind';
  }

  /** Takes note of a publication. Returns whether it is to be delivered: it is new, and in its turn. */
  receive({ node, number }: Origin, now: number): boolean {
    const peer =
      this.#peers.get(node) ?? (this.#isFresh ? this.#add(node, number - 1, 'current', now) : undefined);
    if (!peer) return false;
    peer.heardAt = now;
    if ((peer.state !== 'current' && peer.state !== 'replaying') || number <= peer.last) return false;
    peer.last = number;
    peer.progressAt = now;
    return true;
  }

  handle(message: Start | Beat | Bye, now: number): Effects {
    const peer = this.#peers.get(message.node);
    const silence = now - (peer?.heardAt ?? now);
    if (peer) peer.heardAt = now;
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
      const isWaitedFor = peer.state === 'behind' || peer.state === 'replaying';
      if (isWaitedFor && now - peer.progressAt > PATIENCE) this.#giveUp(peer);
      if (!isWaitedFor && now - peer.heardAt > REMEMBERED) this.#peers.delete(node);
    }
    return this.#settle();
  }

  /** Tells a node that says hello of the others. */
  roster({ away, others }: Hello, now: number): Roster {
    const alive: string[] = [];
    const departed: Departure[] = [];
    // A new node knows of nobody, and may have to tell others later.
    const window = others === undefined ? REMEMBERED : away + MARGIN;
    for (const [node, peer] of this.#peers) {
      if (this.#isThere(peer, now)) alive.push(node);
      else if (now - peer.heardAt <= window)
        departed.push({ node, next: peer.count, ago: now - peer.heardAt });
    }
    return { alive, departed };
  }

  #start(start: Start, peer: Peer, now: number): Effects {
    const { continues, from, oldest, next, beat, reconcile, to, roster } = start;
    if (continues) {
      if (peer.state === 'current') peer.last = Math.max(peer.last, continues.sent - 1);
      if (peer.state === 'replaying') peer.last = Math.max(peer.last, continues.reached - 1);
    }
    peer.beat = beat;
    peer.progressAt = now;
    peer.count = undefined;
    const wanted = peer.last + 1;
    let ask: Ask | undefined;
    if (wanted < from && wanted >= oldest) {
      ask = this.#askAgain(start.node, peer);
    } else {
      if (wanted < from) {
        this.#isLost = true;
        peer.last = from - 1;
      }
      peer.target = next;
      peer.state = peer.last + 1 >= next ? 'current' : 'replaying';
    }
    if (to === this.#self && roster) this.#learn(start.node, roster, now);
    return { ...(ask && { ask }), ...(reconcile !== undefined && { reconcile }), ...this.#settle() };
  }

  #beat({ node, beat, sent }: Beat, peer: Peer, now: number, silence: number): Effects {
    const isNext = peer.beat === undefined || beat === peer.beat + 1;
    peer.beat = beat;
    if (peer.state === 'behind' || peer.state === 'departed' || !isNext) {
      const ask = this.#askAgain(node, peer);
      return isNext ? { ask } : { ask, reconcile: silence };
    }
    peer.last = Math.max(peer.last, sent - 1);
    peer.progressAt = now;
    if (sent >= peer.target) peer.state = 'current';
    return this.#settle();
  }

  #bye({ node, next }: Bye, peer: Peer | undefined, now: number): Effects {
    const isCurrent = peer ? peer.state === 'current' || peer.state === 'replaying' : this.#isFresh;
    const departed = peer ?? this.#add(node, -1, 'departed', now);
    if (isCurrent) departed.last = next - 1;
    this.#depart(departed, next);
    return this.#settle();
  }

  /** Takes note of a node that was not known. */
  #discover(message: Start | Beat, now: number): Peer {
    if (!this.#isFresh) return this.#add(message.node, -1, 'behind', now);
    const first = message.kind === 'start' ? message.from : message.sent;
    return this.#add(message.node, first - 1, 'current', now);
  }

  /** Takes note of what another node knows of those that were there meanwhile. */
  #learn(teller: string, { alive, departed }: Roster, now: number): void {
    const isOld = !this.#isFresh;
    // The others have forgotten who was there.
    if (isOld && this.#away > REMEMBERED - MARGIN) this.#isLost = true;
    for (const node of alive) {
      if (!isOld || node === this.#self || node === teller) continue;
      const peer = this.#peers.get(node) ?? this.#add(node, -1, 'behind', now);
      if (peer.state !== 'departed') continue;
      peer.state = 'behind';
      peer.progressAt = now;
    }
    for (const { node, next, ago } of departed) {
      const known = this.#peers.get(node);
      if (node === this.#self || known?.state === 'current' || known?.state === 'replaying') continue;
      const heardAt = now - ago;
      if (!isOld) {
        const gone = known ?? this.#add(node, (next ?? 0) - 1, 'departed', heardAt);
        gone.count = next;
        continue;
      }
      // Silent since before this node was away.
      const isOldNews = next === undefined && known && heardAt <= known.heardAt + MARGIN;
      if (isOldNews && known.state === 'departed') continue;
      this.#depart(known ?? this.#add(node, -1, 'departed', heardAt), next);
    }
  }

  /** A peer is gone, having made so many publications. */
  #depart(peer: Peer, count: number | undefined): void {
    if (count === undefined || peer.last + 1 < count) this.#isLost = true;
    peer.state = 'departed';
    peer.count = count;
  }

  #giveUp(peer: Peer): void {
    peer.state = 'departed';
    this.#isLost = true;
  }

  #askAgain(node: string, peer: Peer): Ask {
    peer.state = 'behind';
    return { kind: 'ask', of: node, from: peer.last + 1 };
  }

  /** The outage is over when nothing more is waited for. Only then it is told, once, that something is lost. */
  #settle(): Effects {
    if (!this.#isConnected) return {};
    for (const { state } of this.#peers.values()) if (state === 'behind' || state === 'replaying') return {};
    this.#awaySince = undefined;
    if (!this.#isLost) return {};
    this.#isLost = false;
    return { isForgotten: true };
  }

  #isThere(peer: Peer, now: number): boolean {
    return peer.state !== 'departed' && !this.#isSilent(peer, now);
  }

  #isSilent({ state, heardAt }: Peer, now: number): boolean {
    return state === 'current' && now - heardAt > SILENCE;
  }

  #add(node: string, last: number, state: PeerState, heardAt: number): Peer {
    if (this.#peers.size >= MAX_REMEMBERED) this.#forgetOldest();
    const peer: Peer = {
      state,
      last,
      target: 0,
      beat: undefined,
      heardAt,
      progressAt: heardAt,
      count: undefined,
    };
    this.#peers.set(node, peer);
    return peer;
  }

  #forgetOldest(): void {
    for (const [node, { state }] of this.#peers)
      if (state === 'departed') {
        this.#peers.delete(node);
        return;
      }
  }
}
