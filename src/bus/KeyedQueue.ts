import pLimit, { type LimitFunction } from 'p-limit';

/**
 * Runs work with the same key one after another, in the order of the calls, and work with different keys side by side.
 * A change that runs up to its publication here is published in the order of the commits of this node.
 */
export class KeyedQueue {
  readonly #queues = new Map<string, LimitFunction>();

  /** Number of keys with work that has not ended. */
  get size(): number {
    return this.#queues.size;
  }

  /** Resolves once everything called before with the key has ended. */
  async settled(key: string): Promise<void> {
    if (this.#queues.has(key)) await this.run(key, async () => {});
  }

  /** Runs `work` once everything called before with the same key has ended, and resolves or rejects as it does. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const queue = this.#queues.get(key) ?? pLimit(1);
    this.#queues.set(key, queue);
    try {
      return await queue(work);
    } finally {
      if (queue.activeCount + queue.pendingCount === 0) this.#queues.delete(key);
    }
  }
}
