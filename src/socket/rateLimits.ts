import { TokenBucket } from 'limiter';
import type { LRUCache } from 'lru-cache';
import type { Command } from '../commands/define.ts';
import type { KeyId, UserId } from '../ids.ts';
import type { Limits } from '../limits.ts';
import { lruCache } from '../lruCache.ts';
import type { ActingReference } from './actingReference.ts';

type Rated = Pick<Command, 'type' | 'cost' | 'rate'>;

/** Limits the rate of the commands of a connection. */
export interface RateLimiter {
  /** Takes the cost of a command; where there is not enough for it, returns the seconds until there is. */
  take(command: Rated | undefined): number | undefined;
}

/** Returns the rate limiter of a connection of a user. */
export type RateLimiters = (userId: UserId) => RateLimiter;

/** Limits the rate of the commands of a service connection. */
export interface ServiceRateLimiter extends RateLimiter {
  /** Takes a command that has a rate of its own from the bucket of the user who sends it. */
  takeOwn(command: Rated, as: ActingReference): number | undefined;
}

/** Returns the rate limiter of the connections of a key. */
export type ServiceRateLimiters = (keyId: KeyId) => ServiceRateLimiter;

/** Users and networks whose buckets are kept; the others begin with full ones. */
const MAX_USERS = 100_000;

/**
 * Token buckets (https://en.wikipedia.org/wiki/Token_bucket): one for each connection, within one for all of its user
 * on this node, and others for commands with a rate of their own.
 */
export function createRateLimiters(limits: Limits): RateLimiters {
  const users = lruCache<UserId, TokenBucket>(MAX_USERS);

  function ofUser(userId: UserId): TokenBucket {
    const bucket = users.get(userId) ?? full(limits.userCommandBurst, limits.userCommandsPerSecond);
    users.set(userId, bucket);
    return bucket;
  }

  return (userId) => {
    let common: TokenBucket | undefined; // most connections are idle
    let own: Map<string, TokenBucket> | undefined;

    function ofCommand({ type, rate }: Rated): TokenBucket | undefined {
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

/**
 * The token buckets of service connections: one for all commands of a key on this node, and others for the commands of its
 * users that have a rate of their own. They take nothing from those of the users.
 */
export function createServiceRateLimiters(limits: Limits): ServiceRateLimiters {
  const { serviceCommandBurst: burst, serviceCommandsPerSecond: perSecond } = limits;
  const keys = lruCache<KeyId, TokenBucket>(MAX_USERS);
  const users = lruCache<string, TokenBucket>(MAX_USERS);

  return (keyId) => ({
    take(command) {
      const bucket = keys.get(keyId) ?? full(burst, perSecond);
      keys.set(keyId, bucket);
      return secondsUntil(bucket, Math.min(command?.cost ?? 1, burst));
    },
    takeOwn({ type, rate }, as) {
      if (!rate) return undefined;
      const name = JSON.stringify([keyId, type, as]);
      const bucket = users.get(name) ?? full(rate.burst, rate.perSecond);
      users.set(name, bucket);
      return secondsUntil(bucket, 1);
    },
  });
}

function secondsUntil(bucket: TokenBucket | undefined, cost: number): number | undefined {
  if (!bucket || bucket.tryRemoveTokens(cost)) return undefined;
  return Math.max(1, Math.ceil(bucket.getWaitTime(cost) / 1000));
}

/** The rate limit that an upgrade is over: that of its user, of its address, or of all together. */
export type UpgradeRefusal = 'user' | 'address' | 'all';

/** Limits upgrades. Each function takes one from its buckets, and returns the limit that it is over. */
export interface UpgradeLimits {
  /** Takes one of a user. One that is refused to the user or the address takes nothing from the bucket of all. */
  ofUser(userId: UserId, network: string): UpgradeRefusal | undefined;
  /** Takes one whose key is looked up: strangers take nothing from the bucket of all. */
  ofAddress(network: string): UpgradeRefusal | undefined;
  /** Takes one of a service whose key was found. */
  ofAll(): UpgradeRefusal | undefined;
}

/** Limits upgrades of a user, of an address and of all: each so many at once and as many a second. */
export function createUpgradeLimits(limits: Limits): UpgradeLimits {
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

  const ofAddress = (network: string) =>
    takes(networks, network, limits.addressUpgradesPerSecond) ? undefined : 'address';
  const ofAll = () => (all.tryRemoveTokens(1) ? undefined : 'all');
  return {
    ofUser: (userId, network) =>
      takes(users, userId, limits.userUpgradesPerSecond) ? (ofAddress(network) ?? ofAll()) : 'user',
    ofAddress,
    ofAll,
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
