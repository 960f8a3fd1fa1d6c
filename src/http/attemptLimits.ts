import { createHash } from 'node:crypto';
import pLimit, { type LimitFunction } from 'p-limit';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Database } from '../database/database.ts';
import type { UserId } from '../ids.ts';
import type { Limits } from '../limits.ts';
import { lruCache } from '../lruCache.ts';
import { networkOf } from '../net/address.ts';
import { LimitError } from '../protocol/errors.ts';
import { fold } from '../text/fold.ts';
import { type AttemptCounter, createSharedCounter } from './sharedAttempts.ts';

/**
 * Limits failed logins, registrations and changes of usernames. Each refuses with `RATE_LIMITED` and a `retryAfter`.
 */
export interface AttemptLimits {
  /**
   * Runs a comparison of a password; false counts as a failure. `account` is the name from the request, existing or
   * not.
   */
  guess(account: string, address: string, compare: () => Promise<boolean>): Promise<boolean>;
  registering(address: string): Promise<void>;
  renaming(userId: UserId): Promise<void>;
}

export const noAttemptLimits: AttemptLimits = {
  guess: (_account, _address, compare) => compare(),
  registering: async () => {},
  renaming: async () => {},
};

const HOUR = 60 * 60; // seconds
/** Accounts and addresses whose concurrent attempts are limited. One that is evicted may run twice as many at once. */
const MAX_TURNS = 10_000;

/**
 * Counts failures per pair of account and address, so that a stranger's attempts do not lock out the owner at another
 * address, and per address, which limits attempts on many accounts. With a `shared` database the counts apply to all
 * nodes together.
 */
export function createAttemptLimits(limits: Limits, shared?: Database): AttemptLimits {
  const limiter = (keyPrefix: string, points: number, duration: number): AttemptCounter => {
    const window = { keyPrefix, points, duration };
    return shared ? createSharedCounter(shared, window) : new RateLimiterMemory(window);
  };
  const { loginFailuresPerAccount, loginFailuresPerAddress, loginWindowSeconds } = limits;
  const perAccount = limiter('account', loginFailuresPerAccount, loginWindowSeconds);
  const perAddress = limiter('address', loginFailuresPerAddress, loginWindowSeconds);
  const registrations = limiter('registration', limits.registrationsPerAddress, HOUR);
  const renames = limiter('rename', limits.renamesPerUser, HOUR);
  // Hashed, so that keys have the same length for any account name.
  const pair = (account: string, network: string) =>
    createHash('sha256')
      .update(`${network} ${fold(account)}`)
      .digest('base64url');

  const turns = lruCache<string, LimitFunction>(MAX_TURNS);

  /**
   * Counts work as a failure of the key until it succeeds. At most half of the allowed failures run concurrently, the
   * others wait.
   */
  function counted(limit: AttemptCounter, key: string, work: () => Promise<boolean>): Promise<boolean> {
    const name = `${limit.keyPrefix} ${key}`;
    const turn = turns.get(name) ?? pLimit(Math.ceil(limit.points / 2));
    turns.set(name, turn);
    return turn(async () => {
      // Counted before the outcome is known, so that concurrent attempts cannot exceed the limit.
      await take(limit, key, 'login', 'Too many failed attempts');
      let isRight: boolean | undefined;
      try {
        isRight = await work();
        return isRight;
      } finally {
        if (isRight !== false) await limit.reward(key).catch(() => {}); // a failure to take it back costs one attempt
      }
    });
  }

  return {
    guess(account, address, compare) {
      const network = networkOf(address);
      return counted(perAddress, network, () => counted(perAccount, pair(account, network), compare));
    },
    registering: (address) =>
      take(registrations, networkOf(address), 'registration', 'Too many registrations from this address'),
    renaming: (userId) => take(renames, String(userId), 'rename', 'Too many changes of the username'),
  };
}

async function take(
  limiter: AttemptCounter,
  key: string,
  limit: 'login' | 'registration' | 'rename',
  message: string,
): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (reason) {
    if (!(reason instanceof RateLimiterRes)) throw reason;
    // At most one window, because the library uses the clock of this machine, which may have been set back.
    const seconds = Math.min(limiter.duration, Math.max(1, Math.ceil(reason.msBeforeNext / 1000)));
    throw new LimitError(limit, 'RATE_LIMITED', `${message}; retry later`, seconds);
  }
}
