import { createHash, createSecretKey, type KeyObject, randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { Clock } from '../database/clock.ts';
import type { UserId } from '../ids.ts';

/** The claims of a correctly signed token. The token may have been revoked since: see tokenValidity.ts. */
export interface TokenClaims {
  readonly userId: UserId;
  readonly tokenVersion: number;
  /** `jti`, or a hash of the signed part for a token without one. Distinguishes the logins of a user. */
  readonly tokenId: string;
  /**
   * A copy of the user's `othersEndedAt` when the token was issued, 0 for null: an identifier that is only compared for
   * equality. Undefined in tokens of a host and of version 0.1, which are checked by `issuedAt`.
   */
  readonly since: number | undefined;
  /** Milliseconds since the epoch; 0 for a token without `iat`. */
  readonly issuedAt: number;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface Tokens {
  /** Issues a token for the configured lifetime, or for one in seconds. */
  issue(user: { id: UserId; tokenVersion: number; othersEndedAt: Date | null }, lifetime?: number): string;
  /** Returns the claims, or undefined for a token that is malformed, expired or not signed with one of the secrets. */
  verify(token: string): TokenClaims | undefined;
}

/**
 * Returns the claims of a token of this server, at once, or of a host, after a look at its account; undefined if it is
 * neither. May reject with `UNAVAILABLE`.
 */
export type VerifyToken = (token: string) => TokenClaims | undefined | Promise<TokenClaims | undefined>;

/**
 * Issues and verifies JSON Web Tokens (RFC 7519) signed with HS256 only; `expiresIn` is in seconds. The first secret
 * signs and all are accepted: to rotate secrets, put the new one first and remove the old one when its tokens have
 * expired. All nodes use the same `clock`.
 */
export function createTokens(
  secrets: readonly [string, ...string[]],
  expiresIn: number,
  clock: Clock,
): Tokens {
  // The library parses a secret passed as a string at each call to find out whether it is a public or private key. That
  // takes 0.55 ms, a third of the CPU time of a new connection.
  const keys = secrets.map((secret) => createSecretKey(Buffer.from(secret)));
  const [signing] = keys as [KeyObject];
  return {
    issue: ({ id, tokenVersion, othersEndedAt }, lifetime = expiresIn) =>
      jwt.sign(
        { ver: tokenVersion, since: othersEndedAt?.getTime() ?? 0, iat: clock.now() / 1000 },
        signing,
        { algorithm: 'HS256', subject: String(id), jwtid: randomUUID(), expiresIn: lifetime },
      ),
    verify(token) {
      const now = clock.now();
      for (const key of keys)
        try {
          const options = { algorithms: ['HS256' as const], clockTimestamp: now / 1000 };
          const claims = readClaims(jwt.verify(token, key, options), token);
          // Checked again in milliseconds, because the library rounds to seconds.
          return claims && claims.expiresAt > now ? claims : undefined;
        } catch {
          // another secret may have signed it
        }
      return undefined;
    },
  };
}

/** Returns an id for a token, from the part that is signed (RFC 7515, 3.1). */
export function hashOf(token: string): string {
  return createHash('sha256')
    .update(token.slice(0, token.lastIndexOf('.')))
    .digest('base64url');
}

/** The largest accepted time in seconds since the epoch, well within the ranges of PostgreSQL and JavaScript. */
export const MAX_TIME = 2 ** 37;
/** The largest `integer` of PostgreSQL. */
const MAX_VERSION = 2 ** 31 - 1;

/**
 * Returns the claims of a payload, or undefined if one does not have the type and range of issued claims. A valid
 * signature alone does not guarantee them.
 */
function readClaims(payload: unknown, token: string): TokenClaims | undefined {
  const { sub, ver, since, exp, jti, iat = 0 } = payload as Readonly<Record<string, unknown>>;
  if (typeof sub !== 'string' || !/^[1-9]\d{0,15}$/.test(sub) || !Number.isSafeInteger(Number(sub)))
    return undefined;
  if (typeof ver !== 'number' || !Number.isInteger(ver) || ver < 1 || ver > MAX_VERSION) return undefined;
  if (since !== undefined && !isTimestamp(since)) return undefined;
  if (typeof exp !== 'number' || !Number.isFinite(exp)) return undefined;
  if (jti !== undefined && (typeof jti !== 'string' || jti.length > 100 || jti.includes('\0')))
    return undefined;
  if (typeof iat !== 'number' || !Number.isFinite(iat) || Math.abs(iat) > MAX_TIME) return undefined;
  return {
    userId: Number(sub) as UserId,
    tokenVersion: ver,
    tokenId: jti ?? hashOf(token),
    since,
    issuedAt: iat * 1000,
    expiresAt: Math.round(exp * 1000),
  };
}

const isTimestamp = (since: unknown): since is number => Number.isSafeInteger(since) && Number(since) >= 0;
