import type { Schedule } from '../../src/bus/schedule.ts';

interface Timer {
  readonly at: number;
  readonly work: () => void;
}

/** Timers that a test runs: no time passes but what it lets pass. */
export class VirtualTime {
  #now = 0;
  readonly #timers = new Set<Timer>();

  /** Milliseconds since the beginning. */
  get now(): number {
    return this.#now;
  }

  readonly schedule: Schedule = (work, milliseconds) => {
    const timer = { at: this.#now + milliseconds, work };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  /** Lets time pass: runs what is due, in the order of the times, and what that schedules. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    await settled();
    while (await this.#runNext(end));
    this.#now = end;
  }

  /** Lets time pass until something holds; fails when nothing is scheduled any more. */
  async until(holds: () => boolean): Promise<void> {
    await settled();
    while (!holds())
      if (!(await this.#runNext(Number.POSITIVE_INFINITY))) throw new Error('the condition was not reached');
  }

  /** Lets time pass until nothing is scheduled any more. */
  async idle(): Promise<void> {
    await settled();
    while (await this.#runNext(Number.POSITIVE_INFINITY));
  }

  /** Runs the earliest timer up to a time. Returns whether there was one. */
  async #runNext(end: number): Promise<boolean> {
    const next = this.#next(end);
    if (!next) return false;
    this.#now = next.at;
    this.#timers.delete(next);
    next.work();
    await settled();
    return true;
  }

  #next(end: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (timer.at <= end && timer.at < (next?.at ?? Infinity)) next = timer;
    return next;
  }
}

/** Resolves when promises that wait for nothing else have settled: ticks have their turn behind all of them. */
const settled = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));
