/** The transactions of this process that have not ended yet, or were committed and not published. */
export class UnpublishedTransactions {
  readonly #all = new Set<Promise<void>>();

  /** Counts a transaction that begins; the function that it returns ends it. */
  add(): () => void {
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#all.add(ended);
    return () => {
      this.#all.delete(ended);
      end();
    };
  }

  /** Resolves when the present ones have ended, each published or rolled back. */
  async ended(): Promise<void> {
    await Promise.all(this.#all);
  }

  /** True if there are none. */
  get isEmpty(): boolean {
    return this.#all.size === 0;
  }
}
