import type { PushMessage } from '../bus.ts';
import type { Topic } from '../topics.ts';
import type { Beat, Bye, Roster, Start } from './peerMessages.ts';
import { type Publication, RecentPublications } from './RecentPublications.ts';

/** Answer to the `hello` of another node. */
export interface Answer {
  readonly to: string;
  readonly roster: Roster;
}

/**
 * Sending end of the publications of this node: those that are kept, the cursor at the one to send next, and the
 * announcements to the other nodes: what is sent next, and how much was sent. The caller sends each announcement before
 * the publications that follow it.
 */
export class OutgoingStream {
  readonly #node: string;
  readonly #recent: RecentPublications;
  #beat = 0;
  #sentAtBeat = 0;
  #owesBeat = false;

  constructor(node: string, recent = new RecentPublications(node)) {
    this.#node = node;
    this.#recent = recent;
  }

  get hasUnsent(): boolean {
    return this.#recent.hasUnsent;
  }

  /** True while nodes wait for a beat, which is due as soon as all publications are sent. */
  get owesBeat(): boolean {
    return this.#owesBeat;
  }

  /** Publications with a lower number were sent before the last beat. */
  get sentAtBeat(): number {
    return this.#sentAtBeat;
  }

  /** Number that the next new publication will have. */
  get next(): number {
    return this.#recent.position.next;
  }

  /** Adds a publication behind those that wait. */
  add(topic: Topic, message: PushMessage): void {
    this.#recent.add(topic, message);
  }

  /** Returns the publication to send next, and counts it as sent; undefined when all are sent. */
  shift(): Publication | undefined {
    return this.#recent.shift();
  }

  /** Goes on over a new connection with what was not confirmed; `reconcile` as in {@link Start}. */
  restart(confirmed: number, reconcile: number | undefined): Start {
    this.#recent.restart(confirmed);
    this.#sentAtBeat = confirmed;
    this.#owesBeat = true;
    return { ...this.#position(), reconcile };
  }

  /** Sends everything from a number on again, if there is one, and what is kept of it; `answer` for a `hello`. */
  resend(from: number | undefined, answer?: Answer): Start {
    const continues = this.#continues();
    if (from !== undefined) this.#recent.rewind(from);
    this.#owesBeat = true;
    return { ...this.#position(), continues, ...answer };
  }

  /** Sends other nodes to the database for the last `reconcile` milliseconds. */
  sendToDatabase(reconcile: number): Start {
    this.#owesBeat = true;
    return { ...this.#position(), continues: this.#continues(), reconcile };
  }

  /** Sends everything that was not confirmed again, to nodes that did not receive it and cannot ask for it. */
  resendUnconfirmed(confirmed: number, reconcile: number): Start {
    this.#recent.rewind(Math.max(confirmed, this.#recent.position.oldest));
    const { from } = this.#recent.position;
    this.#owesBeat = true;
    return { ...this.#position(), continues: { reached: from, sent: from }, reconcile };
  }

  /** Skips publications that are not kept any more and were not sent; undefined if there are none. */
  skipGap(): Start | undefined {
    if (!this.#recent.hasGap) return undefined;
    const continues = this.#continues();
    this.#recent.skipGap();
    this.#owesBeat = true;
    return { ...this.#position(), continues };
  }

  /** Returns the next beat. */
  nextBeat(): Beat {
    this.#sentAtBeat = this.#recent.position.from;
    this.#owesBeat = this.#recent.hasUnsent;
    return { kind: 'beat', node: this.#node, beat: ++this.#beat, sent: this.#sentAtBeat };
  }

  /** Returns the goodbye, to be sent behind everything else. */
  bye(): Bye {
    return { kind: 'bye', node: this.#node, next: this.#recent.position.next };
  }

  #position(): Start {
    return { kind: 'start', node: this.#node, beat: this.#beat, ...this.#recent.position };
  }

  #continues(): { reached: number; sent: number } {
    return { reached: this.#recent.position.from, sent: this.#recent.sent };
  }
}
