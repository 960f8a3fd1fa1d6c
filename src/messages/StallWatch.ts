/** Milliseconds without progress before a warning, and between two warnings. */
const STALLED = 60_000;
const WARN_INTERVAL = 600_000;

/** Detects when pending work makes no progress. Times are in milliseconds. */
export class StallWatch {
  #position: number | undefined;
  #movedAt: number;
  #hasWork = false;
  #warnedAt: number | undefined;

  constructor(now: number) {
    this.#movedAt = now;
  }

  /** Records the position of the work and whether there is more. Returns true if it has resumed after a warning. */
  record(position: number, hasWork: boolean, now: number): boolean {
    // Work that has just arrived has not been waiting.
    const moves = !hasWork || !this.#hasWork || position !== this.#position;
    this.#position = position;
    this.#hasWork = hasWork;
    if (!moves) return false;
    this.#movedAt = now;
    const hadWarned = this.#warnedAt !== undefined;
    this.#warnedAt = undefined;
    return hadWarned;
  }

  /** Records a failure: there may be pending work. */
  fail(): void {
    this.#hasWork = true;
  }

  /** Returns the milliseconds without progress; 0 if there is no work. */
  stalledFor(now: number): number {
    return this.#hasWork ? now - this.#movedAt : 0;
  }

  /** Returns true if a warning is due, and records it. */
  shouldWarn(now: number): boolean {
    if (this.stalledFor(now) < STALLED) return false;
    if (this.#warnedAt !== undefined && now - this.#warnedAt < WARN_INTERVAL) return false;
    this.#warnedAt = now;
    return true;
  }
}
