/** Other nodes up to which batches are sent: with more, a node spends more on messages of no use to it than it saves. */
const MAX_BATCHING_PEERS = 15;
/** Milliseconds after connecting in which other nodes answer, if there are any. */
const ANSWER_PATIENCE = 2_000;
/** Milliseconds of silence after which a node that does not take batches is taken for dead. */
const UNBATCHED_SILENCE = 60_000;

/**
 * Decides in which way messages are sent: in batches, which every node that is there must take, or each to the subject
 * of its topic; and, while no other node is there, that messages of chats are not sent at all. All times are monotonic
 * milliseconds, and are passed in.
 */
export class SendPolicy {
  #connectedAt: number;
  #sendsBatches = false;
  /** When a node that does not take batches was last there. */
  #unbatchedAt = Number.NEGATIVE_INFINITY;
  #isAlone = false;
  /** When the first message was withheld that no node was sent to the database for. */
  #withheldSince: number | undefined;

  constructor(now: number) {
    this.#connectedAt = now;
  }

  get sendsBatches(): boolean {
    return this.#sendsBatches;
  }

  /** True while no other node is there. */
  get isAlone(): boolean {
    return this.#isAlone;
  }

  /** True if messages were withheld that a node would have to read from the database. */
  get hasWithheld(): boolean {
    return this.#withheldSince !== undefined;
  }

  /** Begins a connection, on which it is not known yet who is there. Returns since when messages were withheld. */
  connected(now: number): number | undefined {
    this.#connectedAt = now;
    this.#sendsBatches = false;
    return this.endSolitude();
  }

  /** Decides again; `hasAnswer` if another node has just announced which nodes are there. */
  choose(others: number, now: number, hasAnswer = false): void {
    const isLongEnough = now - this.#connectedAt > ANSWER_PATIENCE;
    if (!isLongEnough && !hasAnswer) return;
    this.#sendsBatches = now - this.#unbatchedAt > UNBATCHED_SILENCE && others <= MAX_BATCHING_PEERS;
    this.#isAlone = others === 0 && isLongEnough;
  }

  /** Takes note of a node that does not take batches. Returns whether batches were sent that it has missed. */
  noteUnbatched(now: number): boolean {
    this.#unbatchedAt = now;
    const hasMissed = this.#sendsBatches;
    this.#sendsBatches = false;
    return hasMissed;
  }

  /** Takes note of a message that is not sent, since no other node is there. */
  withhold(now: number): void {
    this.#withheldSince ??= now;
  }

  /** Takes note that another node is there. Returns since when messages were withheld, which it has to read. */
  endSolitude(): number | undefined {
    const since = this.#withheldSince;
    this.#isAlone = false;
    this.#withheldSince = undefined;
    return since;
  }
}
