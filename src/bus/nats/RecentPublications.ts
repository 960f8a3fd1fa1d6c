import type { NodeMessage, PushMessage } from '../bus.ts';
import type { Topic } from '../topics.ts';

/** A message, and the topic that it is published to. */
export interface Publication {
  readonly topic: Topic;
  readonly message: NodeMessage;
}

/** Position in the stream of a node's publications. */
export interface StreamPosition {
  /** Number of the publication that is sent next. */
  readonly from: number;
  /** Number of the oldest publication that is kept. */
  readonly oldest: number;
  /** Number that the next new publication will have. */
  readonly next: number;
}

/** Publications that are kept at most. */
const MAX_KEPT = 50_000;
/** Bytes of memory that the kept publications may take. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024;
/** Bytes of memory, roughly, that a publication takes beside its frame and the ids in it. */
const ENTRY_BYTES = 256;

/**
 * Replay buffer and send queue in one: the newest publications of this node, numbered 0, 1, 2 …, and a cursor at the
 * one that is sent next. Other nodes get all numbers in ascending order; to send something again, the cursor is moved
 * back. Messages of chats and signals are not among them: the database has those.
 */
export class RecentPublications {
  readonly #node: string;
  readonly #maxKept: number;
  readonly #maxBytes: number;
  readonly #kept = new Map<number, { readonly publication: Publication; readonly bytes: number }>();
  #bytes = 0;
  #oldest = 0;
  #next = 0;
  #cursor = 0;
  #sent = 0;

  constructor(node: string, maxKept = MAX_KEPT, maxBytes = MAX_KEPT_BYTES) {
    this.#node = node;
    this.#maxKept = maxKept;
    this.#maxBytes = maxBytes;
  }

  /** Position of the cursor among what is kept. */
  get position(): StreamPosition {
    return { from: this.#cursor, oldest: this.#oldest, next: this.#next };
  }

  /** Bytes of memory that the kept publications take, estimated from above. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Everything with a lower number was sent over the current connection, in order. */
  get sent(): number {
    return this.#sent;
  }

  /** True if the publication that would be sent next is not kept any more. */
  get hasGap(): boolean {
    return this.#cursor < this.#oldest;
  }

  /** True if there are publications at the cursor or behind it. */
  get hasUnsent(): boolean {
    return this.#cursor < this.#next;
  }

  /** Keeps a publication, which gets the next number; drops the oldest ones beyond the limits. */
  add(topic: Topic, message: PushMessage): void {
    const number = this.#next++;
    // Characters of a string take two bytes at most.
    const bytes = ENTRY_BYTES + 2 * message.frame.length + 8 * (message.exceptUsers?.length ?? 0);
    const publication = { topic, message: { ...message, origin: { node: this.#node, number } } };
    this.#kept.set(number, { publication, bytes });
    this.#bytes += bytes;
    while (this.#kept.size > this.#maxKept || this.#bytes > this.#maxBytes) {
      this.#bytes -= this.#kept.get(this.#oldest)?.bytes ?? 0;
      this.#kept.delete(this.#oldest++);
    }
  }

  /** Returns the publication to send next and moves the cursor behind it; undefined after the newest. */
  shift(): Publication | undefined {
    const publication = this.#kept.get(this.#cursor)?.publication;
    if (publication) this.#sent = Math.max(this.#sent, ++this.#cursor);
    return publication;
  }

  /** Moves the cursor over publications that are not kept any more. */
  skipGap(): void {
    this.#cursor = Math.max(this.#cursor, this.#oldest);
    this.#sent = Math.max(this.#sent, this.#cursor);
  }

  /** Begins a new connection with the publication of that number, or the oldest that is kept. */
  restart(from: number): void {
    this.#cursor = Math.max(from, this.#oldest);
    this.#sent = this.#cursor;
  }

  /**
   * Moves the cursor back to send everything from a number on again. Does nothing if some of it is not kept any more:
   * the node that asked has to read the database anyway.
   */
  rewind(from: number): void {
    if (from >= this.#oldest) this.#cursor = Math.min(this.#cursor, from);
  }
}
