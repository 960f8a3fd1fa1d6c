import { createHash, createSecretKey, type KeyObject, randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { Clock } from '../database/clock.ts';
import type { UserId } from '../ids.ts';

/** What a valid token says. Whether it is still good is up to the user's `tokenVersion`. */
export interface TokenClaims {
  readonly userId: UserId;
  readonly tokenVersion: number;
  /** `jti`, or a hash of what is signed where a token has none: tells the logins of a user apart. */
  readonly tokenId: string;
  /**
   * A copy of the user's `othersEndedAt` when the token was issued, 0 for never: an identifier that is compared for
   * equality alone. Undefined in a token that does not say, of another issuer or of version 0.1: judged by `issuedAt`.
   */
  readonly since: number | undefined;
  /** Milliseconds since the epoch; 0 when the token does not say. */
  readonly issuedAt: number;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface Tokens {
  issue(user: { id: UserId; tokenVersion: number; othersEndedAt: Date | null }): string;
  /** The claims, or undefined for a token that is malformed, expired or not signed by us. */
  verify(token: string): TokenClaims | undefined;
}

/**
 * JSON Web Tokens (RFC 7519) signed with HS256 and nothing else; `expiresIn` in seconds. The first secret signs, all
 * are accepted: a new one is put before the old one, which goes once its tokens have expired. All nodes issue and judge
 * them by the same `clock`.
 */
export function createTokens(
  secrets: readonly [string, ...string[]],
  expiresIn: number,
  clock: Clock,
): Tokens {
  // Given a string, the library tries at each call whether it is a public or private key: 0.55 ms, which was a third of
  // the processor time of a new connection.
  const keys = secrets.map((secret) => createSecretKey(Buffer.from(secret)));
  const [signing] = keys as [KeyObject];
  return {
    issue: ({ id, tokenVersion, othersEndedAt }) =>
      jwt.sign(
        { ver: tokenVersion, since: othersEndedAt?.getTime() ?? 0, iat: clock.now() / 1000 },
        signing,
        { algorithm: 'HS256', subject: String(id), jwtid: randomUUID(), expiresIn },
      ),
    verify(token) {
      const now = clock.now();
      for (const key of keys)
        try {
          const options = { algorithms: ['HS256' as const], clockTimestamp: now / 1000 };
          const claims = readClaims(jwt.verify(token, key, options), token);
          // Again, in whole milliseconds: seconds with a fraction are rounded.
          return claims && claims.expiresAt > now ? claims : undefined;
        } catch {
          // another one may have signed it
        }
      return undefined;
    },
  };
}

/** Returns an id for a token without a `jti`, from the part that is signed (RFC 7515, 3.1). */
function hashOf(token: string): string {
  return createHash('sha256')
    .update(token.slice(0, token.lastIndexOf('.')))
    .digest('base64url');
}

/** Seconds since the epoch that PostgreSQL and JavaScript agree on, with room. */
const MAX_TIME = 2 ** 37;
/** The largest `integer` of PostgreSQL. */
const MAX_VERSION = 2 ** 31 - 1;

/** A signature alone does not make the claims ours: each must have the type and range we issue. */
function readClaims(payload: unknown, token: string): TokenClaims | undefined {
  const { sub, ver, since, exp, jti, iat = 0 } = payload as Readonly<Record<string, unknown>>;
  if (typeof sub !== 'string' || !/^[1-9]\d{0,15}$/.test(sub) || !Number.isSafeInteger(Number(sub)))
    return undefined;
  if (typeof ver !== 'number' || !Number.isInteger(ver) || ver < 1 || ver > MAX_VERSION) return undefined;
  if (since !== undefined && !isMark(since)) return undefined;
  if (typeof exp !== 'number' || !Number.isFinite(exp)) return undefined;
  if (jti !== undefined && (typeof jti !== 'string' || jti.length > 100 || jti.includes('\0')))
    return undefined;
  if (typeof iat !== 'number' || !Number.isFinite(iat) || Math.abs(iat) > MAX_TIME) return undefined;
  return {
    userId: Number(sub),
    tokenVersion: ver,
    tokenId: jti ?? hashOf(token),
    since,
    issuedAt: iat * 1000,
    expiresAt: Math.round(exp * 1000),
  };
}

const isMark = (since: unknown): since is number => Number.isSafeInteger(since) && Number(since) >= 0;
