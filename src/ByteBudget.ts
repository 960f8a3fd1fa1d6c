/**
 * Limits the bytes that many queues of a node hold together. Each owner gets at most a `share` of the total, so that
 * none can use all of it.
 */
export class ByteBudget {
  readonly #total: number;
  readonly #share: number;
  readonly #owned = new Map<unknown, number>();
  #used = 0;

  constructor(total: number, share: number) {
    this.#total = total;
    this.#share = share;
  }

  /** Returns the bytes held by all owners. */
  get used(): number {
    return this.#used;
  }

  /** Returns the budget of an owner: a user or an address. */
  of(owner: unknown): OwnBudget {
    return {
      fits: (bytes, more = 1) =>
        bytes <= 0 ||
        ((this.#owned.get(owner) ?? 0) + bytes <= this.#total * this.#share * more &&
          this.#used + bytes <= this.#total * more),
      add: (bytes) => {
        this.#used += bytes;
        const own = (this.#owned.get(owner) ?? 0) + bytes;
        if (own > 0) this.#owned.set(owner, own);
        else this.#owned.delete(owner);
      },
    };
  }
}

/** The budget of one owner. */
export interface OwnBudget {
  /**
   * Returns true if another `bytes` bytes stay within the share of the owner and within the total, each multiplied by
   * `more`. Always true for no bytes.
   */
  fits(bytes: number, more?: number): boolean;
  /** Adds bytes; a negative number releases some. */
  add(bytes: number): void;
}
