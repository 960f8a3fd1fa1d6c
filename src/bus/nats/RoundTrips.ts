/** Shares round trips among callers: each waits for one that begins after its call. */
export class RoundTrips {
  readonly #start: () => Promise<unknown>;
  #current: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  /** `start` makes a round trip; the promise that it returns never rejects. */
  constructor(start: () => Promise<unknown>) {
    this.#start = start;
  }

  /** Resolves after a round trip that begins after the call: whoever asks during one shares the next. */
  settled(): Promise<void> {
    if (!this.#current) return this.#run();
    this.#next ??= this.#current.then(() => {
      this.#next = undefined;
      return this.#run();
    });
    return this.#next;
  }

  #run(): Promise<void> {
    const done = this.#start().then(() => {
      this.#current = undefined;
    });
    this.#current = done;
    return done;
  }
}
