/** Counts the bytes that were published over a connection and are not confirmed. */
export class InFlight {
  #published = 0;
  #flushed = 0;
  #confirmed = 0;

  /** Bytes that are not confirmed. */
  get bytes(): number {
    return this.#published - this.#confirmed;
  }

  /** Bytes that were published since the last flush began. */
  get unflushed(): number {
    return this.#published - this.#flushed;
  }

  /** Begins to count a new connection. */
  reset(): void {
    this.#published = 0;
    this.#flushed = 0;
    this.#confirmed = 0;
  }

  published(bytes: number): void {
    this.#published += bytes;
  }

  /** Begins a flush. Returns the count that is confirmed with it. */
  beginFlush(): number {
    this.#flushed = this.#published;
    return this.#published;
  }

  /** Ends a flush that was confirmed; flushes may end in any order. */
  confirm(count: number): void {
    this.#confirmed = Math.max(this.#confirmed, count);
  }
}
