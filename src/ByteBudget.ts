/**
 * Counts the bytes that many queues of a node keep together. Of the total, one owner has at most a `share`, so that
 * nobody uses up what is there for all.
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

  /** Bytes that are kept by all owners. */
  get used(): number {
    return this.#used;
  }

  /** The part of an owner: a user or an address. */
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

export interface OwnBudget {
  /**
   * Returns whether so many more bytes stay within the share of the owner and within the total, or within `more` times both.
   * Nothing more always does.
   */
  fits(bytes: number, more?: number): boolean;
  /** Adds bytes; less than 0 gives some back. */
  add(bytes: number): void;
}
