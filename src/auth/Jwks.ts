import { createLocalJWKSet, errors, type JSONWebKeySet, type LocalJWKSet } from 'jose';
import type { Logger } from 'pino';
import type { Clock } from '../database/clock.ts';
import type { HostKeys } from './hostTokens.ts';

/** Milliseconds that must pass between two loads, whatever arrives. */
const COOLDOWN = 30_000;
/** Milliseconds after which the keys are loaded again when they are next used, so that removed keys end. */
const MAX_AGE = 600_000;

/**
 * The public keys of one issuer, found by the `kid` of a token. They are loaded again for a token with an unknown key,
 * and when they are old; if that fails, the last ones stay. `clock` measures intervals only.
 */
export class Jwks implements HostKeys {
  readonly #load: () => Promise<JSONWebKeySet>;
  readonly #clock: Clock;
  readonly #log: Logger;
  #keys: LocalJWKSet | undefined;
  #version = 0;
  #loadedAt = Number.NEGATIVE_INFINITY;
  #triedAt = Number.NEGATIVE_INFINITY;
  #loading: Promise<void> | undefined;

  constructor(load: () => Promise<JSONWebKeySet>, clock: Clock, log: Logger) {
    this.#load = load;
    this.#clock = clock;
    this.#log = log;
  }

  get version(): number {
    return this.#version;
  }

  readonly find: HostKeys['find'] = (header, token) => {
    if (this.#clock.now() - this.#loadedAt >= MAX_AGE) void this.#loadIfDue();
    if (!this.#keys) throw new errors.JWKSNoMatchingKey();
    return this.#keys(header, token);
  };

  async newerThan(version: number): Promise<boolean> {
    if (this.#version === version) await this.#loadIfDue();
    return this.#version !== version;
  }

  /** Loads the keys for the first time; rejects if that fails. */
  async start(): Promise<void> {
    this.#triedAt = this.#clock.now();
    this.#use(await this.#load());
  }

  #loadIfDue(): Promise<void> {
    if (this.#loading) return this.#loading;
    if (this.#clock.now() - this.#triedAt < COOLDOWN) return Promise.resolve();
    this.#triedAt = this.#clock.now();
    this.#loading = this.#load()
      .then((keys) => this.#use(keys))
      .catch((error) =>
        this.#log.warn({ reason: reasonOf(error) }, 'failed to load the JWKS; keeping the last keys'),
      )
      .finally(() => {
        this.#loading = undefined;
      });
    return this.#loading;
  }

  #use(keys: JSONWebKeySet): void {
    this.#keys = createLocalJWKSet(keys);
    this.#version++;
    this.#loadedAt = this.#clock.now();
    this.#log.debug({ keys: keys.keys.length }, 'loaded the JWKS');
  }
}

/** Returns the reason for which keys could not be loaded: that of a failed `fetch` is in its cause. */
export function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
