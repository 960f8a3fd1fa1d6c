import pLimit, { type LimitFunction } from 'p-limit';
import type { UserId } from '../ids.ts';

/** Runs the work of a user when it is their turn. */
export type ConcurrencyLimit = <T>(userId: UserId, work: () => Promise<T>) => Promise<T>;

/**
 * Limits how much work of each user runs at a time, over all connections of theirs on this node: of `connections` to
 * the database, one user takes at most a third. What is over waits for the same user's work alone.
 */
export function createConcurrencyLimit(connections: number): ConcurrencyLimit {
  const atOnce = Math.max(1, Math.ceil(connections / 3));
  const busy = new Map<UserId, LimitFunction>();
  return async (userId, work) => {
    const limit = busy.get(userId) ?? pLimit(atOnce);
    busy.set(userId, limit);
    try {
      return await limit(work);
    } finally {
      if (limit.activeCount + limit.pendingCount === 0) busy.delete(userId);
    }
  };
}
