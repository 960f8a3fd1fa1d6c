import type { OwnBudget } from '../ByteBudget.ts';

/** Bytes that the commands of a connection may always take, however many other connections there are. */
export const OWN_SHARE = 16 * 1024;

/**
 * Counts the bytes of memory that the unanswered commands of a connection take. Those beyond its share count against a
 * budget.
 */
export class UnansweredBytes {
  readonly #budget: OwnBudget;
  #total = 0;

  constructor(budget: OwnBudget) {
    this.#budget = budget;
  }

  get total(): number {
    return this.#total;
  }

  /** True if the budget has room for so many more bytes here, or `more` times the budget. */
  fits(bytes: number, more = 1): boolean {
    return this.#budget.fits(beyondShare(this.#total + bytes) - beyondShare(this.#total), more);
  }

  /** Adds bytes; a negative number releases some. */
  add(bytes: number): void {
    const before = beyondShare(this.#total);
    this.#total += bytes;
    const change = beyondShare(this.#total) - before;
    if (change !== 0) this.#budget.add(change);
  }
}

const beyondShare = (bytes: number): number => Math.max(0, bytes - OWN_SHARE);
