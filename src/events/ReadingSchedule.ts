import { SendRate } from '../messages/SendRate.ts';

/** The pause after a batch for a range of the rate of messages. */
interface PauseRule {
  /** Messages per second up to which the rule applies. */
  readonly upTo: number;
  /** The pause as a multiple of the time that the batch took. */
  readonly rest: number;
}

/**
 * A server with so much to write as a node can do takes precedence over its consumers, which continue when there is less:
 * they get about a twentieth of the time then.
 */
const RULES: readonly PauseRule[] = [
  { upTo: 3_000, rest: 0 },
  { upTo: 10_000, rest: 1 },
  { upTo: Number.POSITIVE_INFINITY, rest: 20 },
];
/** Milliseconds of the longest pause. */
const LONGEST = 1_000;

/** Determines how fast a subscription reads events, so that it hardly delays senders. */
export class ReadingSchedule {
  readonly #rate = new SendRate();

  /** Records the newest id at a time in milliseconds. */
  record(newest: number, at: number): void {
    this.#rate.record(newest, at);
  }

  /** Returns the milliseconds to pause after a batch that took `took` milliseconds. */
  restAfter(took: number): number {
    const { rest } = RULES.find(({ upTo }) => this.#rate.perSecond <= upTo) as PauseRule;
    return Math.min(took * rest, LONGEST);
  }
}
