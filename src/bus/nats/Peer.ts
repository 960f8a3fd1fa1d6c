import type { Ask, Beat, Departure, Start } from './peerMessages.ts';

/**
 * - `behind`: something was missed, and the peer was asked for it. Its publications are ignored: they come again.
 * - `replaying`: the peer is sending what was missed, up to the number `target`.
 * - `current`: everything arrived.
 * - `departed`: the peer said goodbye, or is not waited for any more.
 */
export type PeerState = 'behind' | 'replaying' | 'current' | 'departed';

/** Result of an announcement of a peer. */
export interface Announced {
  /** Message to send to the peer, which has not sent everything that was missed. */
  readonly ask?: Ask;
  /** True if publications were missed that the peer cannot send again. */
  readonly isLost?: boolean;
  /** True if announcements before this one are missing. */
  readonly isInterrupted?: boolean;
}

/** Milliseconds without progress after which a peer is not waited for any more. */
export const PATIENCE = 5_000;
/** Milliseconds of silence after which a peer is taken for dead. */
const SILENCE = 15_000;

/** Receiving end of the publications of one other node: which arrived, and which have to be sent again. */
export class Peer {
  readonly node: string;
  #state: PeerState;
  /** Every publication up to this number arrived, or did not concern this node. */
  #last: number;
  #target = 0;
  /** Number of the last beat; undefined when any may be next. */
  #beat: number | undefined;
  /** When anything of it arrived, in monotonic milliseconds. */
  #receivedAt: number;
  /** When its replay last made progress, in monotonic milliseconds. */
  #progressAt: number;
  /** Number of publications that it made, once that is known. */
  #count: number | undefined;

  constructor(node: string, last: number, state: PeerState, receivedAt: number) {
    this.node = node;
    this.#last = last;
    this.#state = state;
    this.#receivedAt = receivedAt;
    this.#progressAt = receivedAt;
  }

  get state(): PeerState {
    return this.#state;
  }

  get receivedAt(): number {
    return this.#receivedAt;
  }

  /** Number of the first publication that did not arrive; undefined if the peer has stopped and there is none. */
  get missing(): number | undefined {
    return this.#count === undefined ? this.#last + 1 : undefined;
  }

  /** True while the peer has to send what was missed. */
  get isAwaited(): boolean {
    return this.#state === 'behind' || this.#state === 'replaying';
  }

  /** True while publications of the peer are delivered. */
  get isReceiving(): boolean {
    return this.#state === 'current' || this.#state === 'replaying';
  }

  isPresent(now: number): boolean {
    return this.#state !== 'departed' && !this.#isSilent(now);
  }

  /** Takes note that anything of the peer arrived; returns for how many milliseconds nothing had. */
  noteReceived(now: number): number {
    const silence = now - this.#receivedAt;
    this.#receivedAt = now;
    return silence;
  }

  /** Takes note of a publication. Returns whether to deliver it: it is new, and in its turn. */
  receive(number: number, now: number): boolean {
    this.#receivedAt = now;
    if (!this.isReceiving || number <= this.#last) return false;
    this.#last = number;
    this.#progressAt = now;
    return true;
  }

  /** Begins to wait for the answer of the peer on a new connection. */
  connected(now: number): void {
    this.#progressAt = now;
  }

  /** Begins an outage: everything that the peer publishes in it has to be sent again. */
  disconnected(now: number): void {
    if (this.#state !== 'departed') this.#state = this.#isSilent(now) ? 'departed' : 'behind';
  }

  /** Waits for a peer that others have met after it departed. */
  returned(now: number): void {
    if (this.#state !== 'departed') return;
    this.#state = 'behind';
    this.#progressAt = now;
  }

  /** Takes the announcement of what the peer sends next. */
  start({ continues, from, oldest, next, beat }: Start, now: number): Announced {
    if (continues && this.#state === 'current') this.#advance(continues.sent);
    if (continues && this.#state === 'replaying') this.#advance(continues.reached);
    this.#beat = beat;
    this.#progressAt = now;
    this.#count = undefined;
    const isMissing = this.#last + 1 < from;
    if (isMissing && this.#last + 1 >= oldest) return { ask: this.#askAgain() };
    if (isMissing) this.#last = from - 1;
    this.#target = next;
    this.#state = this.#last + 1 >= next ? 'current' : 'replaying';
    return { isLost: isMissing };
  }

  /** Takes a beat. */
  beat({ beat, sent }: Beat, now: number): Announced {
    const isNext = this.#beat === undefined || beat === this.#beat + 1;
    this.#beat = beat;
    if (!this.isReceiving || !isNext) return { ask: this.#askAgain(), isInterrupted: !isNext };
    this.#advance(sent);
    this.#progressAt = now;
    if (sent >= this.#target) this.#state = 'current';
    return {};
  }

  /** Takes the goodbye of the peer. Returns whether publications of it are lost. */
  bye(count: number): boolean {
    if (this.isReceiving) this.#last = count - 1;
    return this.depart(count);
  }

  /**
   * Stops waiting for a peer that is not there any more, and that made so many publications, if that is known. Returns
   * whether some of them are lost.
   */
  depart(count: number | undefined): boolean {
    this.#state = 'departed';
    this.#count = count;
    return count === undefined || this.#last + 1 < count;
  }

  /** Takes note of how many publications a peer made, none of which concern this node. */
  noteCount(count: number | undefined): void {
    this.#count = count;
  }

  /** Stops waiting for a peer whose replay makes no progress. Returns whether it did. */
  giveUpIfStuck(now: number): boolean {
    if (!this.isAwaited || now - this.#progressAt <= PATIENCE) return false;
    this.#state = 'departed';
    return true;
  }

  /** Describes a peer that is not there any more to a node that does not know of it. */
  departure(now: number): Departure {
    return { node: this.node, next: this.#count, ago: now - this.#receivedAt };
  }

  #isSilent(now: number): boolean {
    return this.#state === 'current' && now - this.#receivedAt > SILENCE;
  }

  /** Counts everything before a number as arrived. */
  #advance(next: number): void {
    this.#last = Math.max(this.#last, next - 1);
  }

  #askAgain(): Ask {
    this.#state = 'behind';
    return { kind: 'ask', of: this.node, from: this.#last + 1 };
  }
}
