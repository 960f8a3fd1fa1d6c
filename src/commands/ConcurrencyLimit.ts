import { FairQueue } from '../FairQueue.ts';
import type { KeyId, UserId } from '../ids.ts';
import { LimitError } from '../protocol/errors.ts';

/** Whose work it is: that of a user, or of the service commands of an API key. */
type Owner = UserId | `key ${KeyId}`;

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
  readonly owner: Owner;
  start(): void;
}

/** Seconds after which what was refused may be sent again. */
const RETRY = 2;

/** Limits how much work runs at a time. Users take turns: what one of them has waiting delays nobody else. */
export class ConcurrencyLimit {
  readonly #options: ConcurrencyOptions;
  readonly #queue = new FairQueue<Owner, Waiting>();
  readonly #running = new Map<Owner, number>();
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
  async run<T>(owner: Owner, work: () => Promise<T>): Promise<T> {
    if (!this.#begin(owner)) await this.#turn(owner);
    try {
      return await work();
    } finally {
      this.#end(owner);
    }
  }

  #begin(owner: Owner): boolean {
    const { perUser, total = Number.POSITIVE_INFINITY } = this.#options;
    const own = this.#running.get(owner) ?? 0;
    if (own >= perUser || this.#total >= total) return false;
    this.#running.set(owner, own + 1);
    this.#total++;
    if (own + 1 === perUser) this.#queue.pause(owner);
    return true;
  }

  #end(owner: Owner): void {
    const own = (this.#running.get(owner) ?? 1) - 1;
    if (own > 0) this.#running.set(owner, own);
    else this.#running.delete(owner);
    this.#total--;
    this.#queue.resume(owner);
    const next = this.#queue.shift();
    if (!next) return;
    this.#begin(next.owner);
    next.start();
  }

  #turn(owner: Owner): Promise<void> {
    const { wait } = this.#options;
    if (wait && this.#isFull(owner, wait)) throw tooMany();
    return new Promise((resolve, reject) => {
      const late = () => {
        this.#queue.remove(owner, waiting);
        reject(this.#isAtLimit(owner) ? tooMany() : busy());
      };
      const timer = wait && setTimeout(late, wait.milliseconds);
      const waiting = {
        owner,
        start() {
          clearTimeout(timer);
          resolve();
        },
      };
      this.#queue.push(owner, waiting);
    });
  }

  /** Lets in always a user of whom nothing waits: those who have much waiting cannot fill the queue for everybody. */
  #isFull(owner: Owner, { perUser, total }: WaitBounds): boolean {
    const own = this.#queue.sizeOf(owner);
    return own >= perUser || (own > 0 && this.#queue.size >= total);
  }

  #isAtLimit(owner: Owner): boolean {
    return (this.#running.get(owner) ?? 0) >= this.#options.perUser;
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
