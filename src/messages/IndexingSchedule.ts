import { SendRate } from './SendRate.ts';

/** The size of a slice and the pause after it for a range of the rate of messages. */
interface SliceRule {
  /** Messages per second up to which the rule applies. */
  readonly upTo: number;
  /** Messages indexed per statement. */
  readonly slice: number;
  /** The pause as a multiple of the duration of the slice, and its maximum in milliseconds. */
  readonly rest: number;
  readonly longestRest: number;
}

/**
 * Idle: two thirds of the time of a core. Moderate load: slices of a millisecond in a sixth of the time, which still
 * indexes more than is sent. High load: a minimum of 500 messages per second.
 */
const RULES: readonly SliceRule[] = [
  { upTo: 100, slice: 1_000, rest: 0.5, longestRest: 1_000 },
  { upTo: 2_000, slice: 64, rest: 5, longestRest: 80 },
  { upTo: Number.POSITIVE_INFINITY, slice: 200, rest: 50, longestRest: 350 },
];

/** Determines how fast the search indexer processes its backlog, so that it hardly delays senders. */
export class IndexingSchedule {
  readonly #rate = new SendRate();

  /** Records the newest id of a message at a time in milliseconds. */
  record(newest: number, at: number): void {
    this.#rate.record(newest, at);
  }

  /** Returns the number of messages to index next. */
  get slice(): number {
    return this.#rule.slice;
  }

  /** Returns the milliseconds to pause after a slice that took `took` milliseconds. */
  restAfter(took: number): number {
    return Math.min(took * this.#rule.rest, this.#rule.longestRest);
  }

  get #rule(): SliceRule {
    return RULES.find(({ upTo }) => this.#rate.perSecond <= upTo) as SliceRule;
  }
}
