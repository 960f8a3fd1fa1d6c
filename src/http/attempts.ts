import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
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
 * elsewhere, and per address alone, so that guessing through many accounts ends, too.
 */
export function createAttemptLimits(): AttemptLimits {
  const perAccount = new RateLimiterMemory({
    points: limits.loginFailuresPerAccount,
    duration: limits.loginWindowSeconds,
  });
  const perAddress = new RateLimiterMemory({
    points: limits.loginFailuresPerAddress,
    duration: limits.loginWindowSeconds,
  });
  const registrations = new RateLimiterMemory({
    points: limits.registrationsPerAddress,
    duration: limits.registrationWindowSeconds,
  });
  const pair = (account: string, address: string) => `${address} ${account.toLowerCase()}`;

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
