/** Milliseconds over which the rate is averaged. */
const WINDOW = 500;

/** The rate at which messages are sent on all nodes, averaged exponentially over half a second. */
export class SendRate {
  #newest: number | undefined;
  #at = 0;
  #perSecond = 0;

  get perSecond(): number {
    return this.#perSecond;
  }

  /** Records the newest id of a message at a time in milliseconds. */
  record(newest: number, at: number): void {
    const elapsed = at - this.#at;
    if (this.#newest !== undefined && elapsed > 0) {
      const rate = ((newest - this.#newest) / elapsed) * 1_000;
      this.#perSecond += (rate - this.#perSecond) * (1 - Math.exp(-elapsed / WINDOW));
    }
    this.#newest = newest;
    this.#at = at;
  }
}
