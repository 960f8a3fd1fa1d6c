/**
 * Calls `late` when the oldest statement of a connection has not been answered for `timeout` milliseconds. One timer serves
 * all, because most statements take less than a millisecond.
 */
export class StatementWatch {
  readonly #timeout: number;
  readonly #late: () => void;
  /** Start times of the unanswered statements, oldest first. */
  readonly #waiting: number[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(timeout: number, late: () => void) {
    this.#timeout = timeout;
    this.#late = late;
  }

  /** Notes a statement that is sent at `start`, by `performance.now()`. */
  sent(start: number): void {
    this.#waiting.push(start);
    this.#timer ??= this.#timerFor(this.#timeout);
  }

  /** Notes an answer: answers arrive in the order of the statements. */
  answered(): void {
    this.#waiting.shift();
  }

  #timerFor(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#timer = undefined;
      const [oldest] = this.#waiting;
      if (oldest === undefined) return;
      const left = oldest + this.#timeout - performance.now();
      if (left > 0) this.#timer = this.#timerFor(left);
      else this.#late();
    }, milliseconds).unref();
  }
}
