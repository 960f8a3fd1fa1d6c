/** Counts the bytes that many queues of a node keep together. */
export class ByteBudget {
  readonly #total: number;
  #used = 0;

  constructor(total: number) {
    this.#total = total;
  }

  get used(): number {
    return this.#used;
  }

  /** Whether so many more bytes stay within the budget. */
  fits(bytes: number): boolean {
    return this.#used + bytes <= this.#total;
  }

  /** Adds bytes, over the budget as well: what is refused has to be answered. Less than 0 gives some back. */
  add(bytes: number): void {
    this.#used += bytes;
  }
}
