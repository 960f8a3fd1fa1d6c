import { TokenBucket } from 'limiter';
import type { LRUCache } from 'lru-cache';
import type { Command } from '../commands/define.ts';
import type { UserId } from '../ids.ts';
import type { Limits } from '../limits.ts';
import { lruCache } from '../lruCache.ts';

/** Limits the rate of the commands of a connection. */
export interface RateLimiter {
  /** Takes the cost of a command; where there is not enough for it, returns the seconds until there is. */
  take(command: Command | undefined): number | undefined;
}

/** Users and networks whose buckets are kept; the others begin with full ones. */
const MAX_USERS = 100_000;

/**
 * Token buckets (https://en.wikipedia.org/wiki/Token_bucket): one for each connection, within one for all of its user
 * on this node, and others for commands with a rate of their own.
 */
export function createRateLimiters(limits: Limits): (userId: UserId) => RateLimiter {
  const users = lruCache<UserId, TokenBucket>(MAX_USERS);

  function ofUser(userId: UserId): TokenBucket {
    const bucket = users.get(userId) ?? full(limits.userCommandBurst, limits.userCommandsPerSecond);
    users.set(userId, bucket);
    return bucket;
  }

  return (userId) => {
    let common: TokenBucket | undefined; // most connections are idle
    let own: Map<string, TokenBucket> | undefined;

    function ofCommand({ type, rate }: Command): TokenBucket | undefined {
      if (!rate) return undefined;
      own ??= new Map();
      const bucket = own.get(type) ?? full(rate.burst, rate.perSecond);
      own.set(type, bucket);
      return bucket;
    }

    return {
      take(command) {
        common ??= full(limits.commandBurst, limits.commandsPerSecond, ofUser(userId));
        const cost = Math.min(command?.cost ?? 1, limits.commandBurst, limits.userCommandBurst);
        return secondsUntil(common, cost) ?? (command && secondsUntil(ofCommand(command), 1));
      },
    };
  };
}

function secondsUntil(bucket: TokenBucket | undefined, cost: number): number | undefined {
  if (!bucket || bucket.tryRemoveTokens(cost)) return undefined;
  return Math.max(1, Math.ceil(bucket.getWaitTime(cost) / 1000));
}

/** The rate limit that an upgrade is over: that of its user, of its address, or of all together. */
export type UpgradeRefusal = 'user' | 'address' | 'all';

/**
 * Limits upgrades: those of a user, of an address and of all, each so many at once and as many a second. An upgrade that
 * is refused to a user or an address takes nothing from the bucket of all.
 */
export function createUpgradeLimits(
  limits: Limits,
): (userId: UserId, network: string) => UpgradeRefusal | undefined {
  const users = lruCache<UserId, TokenBucket>(MAX_USERS);
  const networks = lruCache<string, TokenBucket>(MAX_USERS);
  const all = full(limits.upgradesPerSecond, limits.upgradesPerSecond);

  function takes<Key extends string | number>(
    buckets: LRUCache<Key, TokenBucket>,
    key: Key,
    perSecond: number,
  ): boolean {
    const bucket = buckets.get(key) ?? full(perSecond, perSecond);
    buckets.set(key, bucket);
    return bucket.tryRemoveTokens(1);
  }

  return (userId, network) => {
    if (!takes(users, userId, limits.userUpgradesPerSecond)) return 'user';
    if (!takes(networks, network, limits.addressUpgradesPerSecond)) return 'address';
    return all.tryRemoveTokens(1) ? undefined : 'all';
  };
}

function full(bucketSize: number, perSecond: number, parentBucket?: TokenBucket): TokenBucket {
  const bucket = new TokenBucket({
    bucketSize,
    tokensPerInterval: perSecond,
    interval: 'second',
    ...(parentBucket && { parentBucket }),
  });
  bucket.content = bucketSize;
  return bucket;
}
