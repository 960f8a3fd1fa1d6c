/** Delays between attempts. */
export interface Backoff {
  /** Counts a failure and returns the milliseconds to wait. */
  next(): number;
  /** Continues as after a number of failures. A negative number halves the first delay as many times. */
  reset(failures?: number): void;
}

/**
 * Creates delays of which each is twice the one before, up to the longest, less a random share, so that clients that
 * fail at the same time do not retry at the same time: `jitter` 1 is the "full jitter" of
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/, 0.5 its "equal jitter", 0 none.
 *
 *   const backoff = createBackoff(500, 30_000, 1);
 *   backoff.next();  // 0 to 500 milliseconds
 *   backoff.next();  // 0 to 1,000
 *   backoff.reset(); // an attempt succeeded
 *   backoff.next();  // 0 to 500
 */
export function createBackoff(first: number, longest: number, jitter: number): Backoff {
  let count = 0;
  return {
    next: () => Math.min(longest, first * 2 ** count++) * (1 - jitter * Math.random()),
    reset(failures = 0) {
      count = failures;
    },
  };
}
