/** Size of a slice of the index, and length of the rest after it, while so many messages a second are sent. */
interface SliceRule {
  /** Messages per second, up to which it holds. */
  readonly upTo: number;
  /** Messages taken by one statement. */
  readonly slice: number;
  /** The rest, as a multiple of what the slice took, and at most, in milliseconds. */
  readonly rest: number;
  readonly longestRest: number;
}

/**
 * Nobody waits: a core works, two thirds of the time. Somebody does: slices of a millisecond, a sixth of the time, yet more
 * than is sent. Many do: hardly any, yet 500 messages a second whatever the load.
 */
const RULES: readonly SliceRule[] = [
  { upTo: 100, slice: 1_000, rest: 0.5, longestRest: 1_000 },
  { upTo: 2_000, slice: 64, rest: 5, longestRest: 80 },
  { upTo: Number.POSITIVE_INFINITY, slice: 200, rest: 50, longestRest: 350 },
];

/** Milliseconds over which the rate of messages is averaged. */
const WINDOW = 500;

/** Says how the search indexer works off what it is behind, so that those who send hardly notice. */
export class IndexingSchedule {
  #newest: number | undefined;
  #at = 0;
  #rate = 0;

  /** Notes the newest id of a message, at a time in milliseconds. */
  look(newest: number, at: number): void {
    const elapsed = at - this.#at;
    if (this.#newest !== undefined && elapsed > 0) {
      const rate = ((newest - this.#newest) / elapsed) * 1_000;
      this.#rate += (rate - this.#rate) * (1 - Math.exp(-elapsed / WINDOW));
    }
    this.#newest = newest;
    this.#at = at;
  }

  /** Messages to take next. */
  get slice(): number {
    return this.#rule.slice;
  }

  /** Milliseconds to rest after a slice that took so many. */
  restAfter(took: number): number {
    return Math.min(took * this.#rule.rest, this.#rule.longestRest);
  }

  get #rule(): SliceRule {
    return RULES.find(({ upTo }) => this.#rate <= upTo) as SliceRule;
  }
}
