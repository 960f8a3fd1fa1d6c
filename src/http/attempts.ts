import { createHash } from 'node:crypto';
import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterPostgres,
  RateLimiterRes,
} from 'rate-limiter-flexible';
import type { Sequelize } from 'sequelize';
import { ApiError } from '../errors.ts';
import { limits } from '../limits.ts';

/** Limits on guessing passwords and on making accounts. Each refuses with `RATE_LIMITED` and a `retryAfter`. */
export interface AttemptLimits {
  /** To be asked before a password is compared. `account` is what the caller named, existing or not. */
  assertMayTry(account: string, address: string): Promise<void>;
  /** To be told of each wrong password. */
  failed(account: string, address: string): Promise<void>;
  registering(address: string): Promise<void>;
}

export const noAttemptLimits: AttemptLimits = {
  assertMayTry: async () => {},
  failed: async () => {},
  registering: async () => {},
};

/**
 * Counts failures per account and address together, so that a stranger's guesses do not lock the owner out
 * elsewhere, and per address alone, so that guessing through many accounts ends, too. With a `shared` database, for
 * all nodes together.
 */
export function createAttemptLimits(shared?: Sequelize): AttemptLimits {
  const limiter = (keyPrefix: string, points: number, duration: number): RateLimiterAbstract =>
    shared
      ? new RateLimiterPostgres({
          ...{ keyPrefix, points, duration },
          ...{ storeClient: shared, storeType: 'sequelize', tableName: 'attempts', tableCreated: true },
        })
      : new RateLimiterMemory({ keyPrefix, points, duration });
  const { loginFailuresPerAccount, loginFailuresPerAddress, loginWindowSeconds } = limits;
  const perAccount = limiter('account', loginFailuresPerAccount, loginWindowSeconds);
  const perAddress = limiter('address', loginFailuresPerAddress, loginWindowSeconds);
  const registrations = limiter(
    'registration',
    limits.registrationsPerAddress,
    limits.registrationWindowSeconds,
  );
  // Of one length, whatever somebody names.
  const pair = (account: string, address: string) =>
    createHash('sha256').update(`${address} ${account.toLowerCase()}`).digest('base64url');

  return {
    async assertMayTry(account, address) {
      const counts = [
        [perAccount, await perAccount.get(pair(account, address))],
        [perAddress, await perAddress.get(address)],
      ] as const;
      for (const [limiter, count] of counts)
        if (count && count.consumedPoints >= limiter.points) refuse('Too many failed attempts', count);
    },
    async failed(account, address) {
      await Promise.allSettled([perAccount.consume(pair(account, address)), perAddress.consume(address)]);
    },
    async registering(address) {
      await registrations.consume(address).catch((reason: unknown) => {
        if (reason instanceof RateLimiterRes) refuse('Too many registrations from this address', reason);
        throw reason;
      });
    },
  };
}

function refuse(message: string, { msBeforeNext }: RateLimiterRes): never {
  throw new ApiError(
    'RATE_LIMITED',
    `${message}; come back later`,
    Math.max(1, Math.ceil(msBeforeNext / 1000)),
  );
}
