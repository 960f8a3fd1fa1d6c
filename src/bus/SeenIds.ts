/**
 * Knows which rows of a window of time were seen. Rows are looked up by time and not from the last id on, since a
 * transaction with a lower id may commit later; so each poll finds those of the window again.
 */
export class SeenIds {
  readonly #window: number;
  #seen: ReadonlySet<number> | undefined;
  #polledAt: number;

  /** Rows are found for `window` milliseconds; the time is now. */
  constructor(window: number, now: number) {
    this.#window = window;
    this.#polledAt = now;
  }

  /** Takes the rows of a poll that began at a time. Returns the new ones: none at first, which are from before. */
  take<Row extends { readonly id: number }>(
    rows: readonly Row[],
    now: number,
  ): { readonly news: readonly Row[]; readonly hasMissed: boolean } {
    const seen = this.#seen;
    const news = seen ? rows.filter(({ id }) => !seen.has(id)) : [];
    const hasMissed = now - this.#polledAt > this.#window;
    this.#seen = new Set(rows.map(({ id }) => id));
    this.#polledAt = now;
    return { news, hasMissed };
  }
}
