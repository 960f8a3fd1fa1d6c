import { FairQueue } from '../FairQueue.ts';
import type { UserId } from '../ids.ts';
import { LimitError } from '../protocol/errors.ts';

export interface ConcurrencyOptions {
  /** Work of one user that runs at a time, over all connections of theirs on this node. */
  readonly perUser: number;
  /** Work of all users that runs at a time; any if left out. */
  readonly total?: number;
  /** Bounds on what waits for its turn; without, it waits for as long as it takes. */
  readonly wait?: WaitBounds;
}

export interface WaitBounds {
  /** Work of one user that waits. */
  readonly perUser: number;
  /** Work that waits in all, beside one of each user. */
  readonly total: number;
  readonly milliseconds: number;
}

interface Waiting {
  readonly userId: UserId;
  start(): void;
}

/** Seconds after which what was refused may be sent again. */
const RETRY = 2;

/** Limits how much work runs at a time. Users take turns: what one of them has waiting delays nobody else. */
export class ConcurrencyLimit {
  readonly #options: ConcurrencyOptions;
  readonly #queue = new FairQueue<UserId, Waiting>();
  readonly #running = new Map<UserId, number>();
  #total = 0;

  constructor(options: ConcurrencyOptions) {
    this.#options = options;
  }

  /** Work that waits for its turn. */
  get waiting(): number {
    return this.#queue.size;
  }

  /**
   * Runs the work of a user when it is their turn, and resolves or rejects as it does. Rejects with `RATE_LIMITED` where
   * too much of this user waits, or has waited for too long for the rest of it, and with `UNAVAILABLE` where it has waited
   * for too long for others.
   */
  async run<T>(userId: UserId, work: () => Promise<T>): Promise<T> {
    if (!this.#begin(userId)) await this.#turn(userId);
    try {
      return await work();
    } finally {
      this.#end(userId);
    }
  }

  #begin(userId: UserId): boolean {
    const { perUser, total = Number.POSITIVE_INFINITY } = this.#options;
    const own = this.#running.get(userId) ?? 0;
    if (own >= perUser || this.#total >= total) return false;
    this.#running.set(userId, own + 1);
    this.#total++;
    if (own + 1 === perUser) this.#queue.pause(userId);
    return true;
  }

  #end(userId: UserId): void {
    const own = (this.#running.get(userId) ?? 1) - 1;
    if (own > 0) this.#running.set(userId, own);
    else this.#running.delete(userId);
    this.#total--;
    this.#queue.resume(userId);
    const next = this.#queue.shift();
    if (!next) return;
    this.#begin(next.userId);
    next.start();
  }

  #turn(userId: UserId): Promise<void> {
    const { wait } = this.#options;
    if (wait && this.#isFull(userId, wait)) throw tooMany();
    return new Promise((resolve, reject) => {
      const late = () => {
        this.#queue.remove(userId, waiting);
        reject(this.#isAtLimit(userId) ? tooMany() : busy());
      };
      const timer = wait && setTimeout(late, wait.milliseconds);
      const waiting = {
        userId,
        start() {
          clearTimeout(timer);
          resolve();
        },
      };
      this.#queue.push(userId, waiting);
    });
  }

  /** Lets in always a user of whom nothing waits: those who have much waiting cannot fill the queue for everybody. */
  #isFull(userId: UserId, { perUser, total }: WaitBounds): boolean {
    const own = this.#queue.sizeOf(userId);
    return own >= perUser || (own > 0 && this.#queue.size >= total);
  }

  #isAtLimit(userId: UserId): boolean {
    return (this.#running.get(userId) ?? 0) >= this.#options.perUser;
  }
}

const tooMany = () =>
  new LimitError(
    'heavy',
    'RATE_LIMITED',
    'Too many commands of this kind at once; wait for their replies',
    RETRY,
  );

const busy = () =>
  new LimitError(
    'heavy',
    'UNAVAILABLE',
    'The server is running too many commands of this kind; retry in a moment',
    RETRY,
  );
