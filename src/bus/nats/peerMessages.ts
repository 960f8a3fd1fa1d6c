import type { StreamPosition } from './RecentPublications.ts';

/** Announces what a node sends from here on: all its publications from number `from` on, in order. */
export interface Start extends StreamPosition {
  readonly kind: 'start';
  readonly node: string;
  /** Number of the last beat. */
  readonly beat: number;
  /**
   * On a connection that stays: the number that would have been sent next (`reached`), and the number behind everything
   * that was ever sent on it (`sent`). Without it the connection is a new one.
   */
  readonly continues?: { readonly reached: number; readonly sent: number };
  /** Milliseconds for which signals or heads of chats of the node may not have arrived. */
  readonly reconcile?: number | undefined;
  /** Node whose `hello` it answers, and the other nodes that it may not know of. */
  readonly to?: string | undefined;
  readonly roster?: Roster | undefined;
}

/** States how much a node has sent: every second, and when it has sent what a `start` announced. */
export interface Beat {
  readonly kind: 'beat';
  readonly node: string;
  /** Counts 1, 2, 3 …: a missing one shows that something was lost on the way. */
  readonly beat: number;
  /** Number of the publication that is sent next: all lower ones were sent before. */
  readonly sent: number;
}

/** Asks all nodes for what was missed, after a connection was made. */
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

/** Announces that a node stops after sending all its publications, which are as many as `next`. */
export interface Bye {
  readonly kind: 'bye';
  readonly node: string;
  readonly next: number;
}

/** Messages between nodes about their publications, on a subject of their own. */
export type PeerMessage = Start | Beat | Hello | Ask | Bye;

/** Other nodes as a node knows them. */
export interface Roster {
  readonly alive: readonly string[];
  readonly departed: readonly Departure[];
}

/** A node that is not there any more. */
export interface Departure {
  readonly node: string;
  /** Number of publications it made; undefined when it left without a `bye`. */
  readonly next?: number | undefined;
  /** Milliseconds since anything of it arrived. */
  readonly ago: number;
}
