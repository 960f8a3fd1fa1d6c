import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import pLimit, { type LimitFunction } from 'p-limit';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Database } from '../database/database.ts';
import type { UserId } from '../ids.ts';
import type { Limits } from '../limits.ts';
import { networkOf } from '../net/address.ts';
import { LimitError } from '../protocol/errors.ts';
import { fold } from '../text/fold.ts';
import { type AttemptCounter, createSharedCounter } from './sharedAttempts.ts';

/** Limits on guessing passwords, on making accounts and on renaming them. Each refuses with `RATE_LIMITED` and a `retryAfter`. */
export interface AttemptLimits {
  /** Runs a comparison of a password; false counts as a failure. `account` is what the caller named, existing or not. */
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
/** Accounts and addresses whose guesses take turns; who is forgotten may try twice as many at once. */
const MAX_TURNS = 10_000;

/**
 * Counts failures per account and address together, so that a stranger's guesses do not lock the owner out
 * elsewhere, and per address alone, so that guessing through many accounts ends, too. With a `shared` database, for
 * all nodes together.
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
  // Of one length, whatever somebody names.
  const pair = (account: string, network: string) =>
    createHash('sha256')
      .update(`${network} ${fold(account)}`)
      .digest('base64url');

  const turns = new LRUCache<string, LimitFunction>({ max: MAX_TURNS });

  /** Counts work as a failure of the key until it ends well. Half of what may fail runs at once, the rest waits. */
  function counted(limit: AttemptCounter, key: string, work: () => Promise<boolean>): Promise<boolean> {
    const name = `${limit.keyPrefix} ${key}`;
    const turn = turns.get(name) ?? pLimit(Math.ceil(limit.points / 2));
    turns.set(name, turn);
    return turn(async () => {
      // Before it is known what comes of it: many guesses at once are many.
      await take(limit, key, 'login', 'Too many failed attempts');
      let isRight: boolean | undefined;
      try {
        isRight = await work();
        return isRight;
      } finally {
        if (isRight !== false) await limit.reward(key).catch(() => {}); // it costs one attempt
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
    // Never longer than a window: the library reckons with the clock of this machine, which may have been set back.
    const seconds = Math.min(limiter.duration, Math.max(1, Math.ceil(reason.msBeforeNext / 1000)));
    throw new LimitError(limit, 'RATE_LIMITED', `${message}; come back later`, seconds);
  }
}
