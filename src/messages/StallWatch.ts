/** Milliseconds for which work may stand still before one says so, and between two times. */
const STALLED = 60_000;
const SAY_AGAIN = 600_000;

/** Notices when work stands still though there is some. Times are in milliseconds. */
export class StallWatch {
  #position: number | undefined;
  #movedAt: number;
  #hasWork = false;
  #saidAt: number | undefined;

  constructor(now: number) {
    this.#movedAt = now;
  }

  /** Notes how far the work is, and whether there is more. Returns true if it goes on after it was said to stand still. */
  look(position: number, hasWork: boolean, now: number): boolean {
    // What has just come was not waited for yet.
    const moves = !hasWork || !this.#hasWork || position !== this.#position;
    this.#position = position;
    this.#hasWork = hasWork;
    if (!moves) return false;
    this.#movedAt = now;
    const wasSaid = this.#saidAt !== undefined;
    this.#saidAt = undefined;
    return wasSaid;
  }

  /** Notes that a look failed: there may be work. */
  fail(): void {
    this.#hasWork = true;
  }

  /** Milliseconds for which the work has stood still; 0 where there is none. */
  stalledFor(now: number): number {
    return this.#hasWork ? now - this.#movedAt : 0;
  }

  /** True if it is to be said now that the work stands still. */
  isToBeSaid(now: number): boolean {
    if (this.stalledFor(now) < STALLED) return false;
    if (this.#saidAt !== undefined && now - this.#saidAt < SAY_AGAIN) return false;
    this.#saidAt = now;
    return true;
  }
}
