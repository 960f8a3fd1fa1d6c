import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import type { Logger } from 'pino';
import type { AuthSettings } from '../authSettings.ts';
import type { Clock } from '../database/clock.ts';
import { ApiError } from '../protocol/errors.ts';
import { hashOf, MAX_TIME } from './tokens.ts';

/** A valid token of the host. It may have been revoked since: see tokenValidity.ts. */
export interface HostToken {
  /** The identifier of the user at the host, of 1 to 255 characters. */
  readonly externalId: string;
  /** A hash of the signed part, since a host need not issue a unique `jti`. */
  readonly tokenId: string;
  /** Both are milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly claims: Readonly<JWTPayload>;
}

/** The keys with which a host signs. */
export interface HostKeys {
  /** Counts the sets of keys; 0 while there is none yet. */
  readonly version: number;
  /** Returns the key for the header of a token. Rejects if there is none, or if several come into question. */
  readonly find: JWTVerifyGetKey;
  /** Looks for newer keys than those of a version; resolves to false if there are none, or if it is too early to look. */
  newerThan(version: number): Promise<boolean>;
}

export interface HostTokens {
  /**
   * Returns a token, or undefined if it is not a valid one of the host. Rejects with `UNAVAILABLE` as long as the keys of
   * the host have never been read.
   */
  verify(token: string): Promise<HostToken | undefined>;
}

/** Milliseconds by which the clock of the host may differ. */
const LEEWAY = 30_000;
/** Seconds after which a client tries again if the keys of the host cannot be read. */
const RETRY_AFTER = 30;

/** Headers that bring a key or its address, or that must be understood (RFC 7515, 4.1): none of them is accepted. */
const REFUSED_HEADERS = ['jwk', 'jku', 'x5c', 'x5u', 'crit', 'b64'];

/** Verifies tokens of the host (RFC 7519). `clock` is that of the database. */
export function createHostTokens(
  { authIssuer, authAudience, authAlgorithms, authUserClaim }: AuthSettings,
  keys: HostKeys,
  clock: Clock,
  log: Logger,
): HostTokens {
  async function verify(token: string): Promise<JWTPayload | undefined> {
    if (!isCandidate(token)) return undefined;
    const options = {
      ...(authIssuer !== undefined && { issuer: authIssuer }),
      ...(authAudience !== undefined && { audience: authAudience }),
      algorithms: [...authAlgorithms],
      requiredClaims: ['exp', 'iat', authUserClaim],
      clockTolerance: LEEWAY / 1000,
      currentDate: new Date(clock.now()),
    };
    const { version } = keys;
    try {
      return await payloadOf(token, keys, options);
    } catch (error) {
      if (!mayHaveNewKey(error, token)) throw error;
      if (await keys.newerThan(version)) return payloadOf(token, keys, options);
      if (keys.version === 0)
        throw new ApiError('UNAVAILABLE', 'The keys of the issuer cannot be read; retry', RETRY_AFTER);
      throw error;
    }
  }

  /** Returns true if a token may be one of the host: others must not make the server look for keys. */
  function isCandidate(token: string): boolean {
    const header = decodeProtectedHeader(token);
    if (!authAlgorithms.includes(String(header.alg))) return false;
    if (REFUSED_HEADERS.some((name) => Object.hasOwn(header, name))) return false;
    const { iss, exp = 0 } = decodeJwt(token);
    return (authIssuer === undefined || iss === authIssuer) && exp * 1000 > clock.now() - LEEWAY;
  }

  return {
    async verify(token) {
      try {
        const claims = await verify(token);
        return claims && hostTokenOf(token, claims, authUserClaim, clock.now());
      } catch (error) {
        if (error instanceof ApiError) throw error;
        // A claim that is wrong, for example. The error itself contains the claims.
        const { message: reason } = error as Error;
        log.debug({ reason }, 'token of the host refused');
        return undefined;
      }
    },
  };
}

/** Verifies a token with its key; without a `kid`, or if several keys have it, with each that comes into question. */
async function payloadOf(token: string, { find }: HostKeys, options: JWTVerifyOptions): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, find, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error)
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (failure) {
        if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
      }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

/** Returns true if a token may have been signed with a key that is not known yet. */
function mayHaveNewKey(error: unknown, token: string): boolean {
  if (error instanceof errors.JWKSNoMatchingKey) return true;
  const hasKid = decodeProtectedHeader(token).kid !== undefined;
  return error instanceof errors.JWSSignatureVerificationFailed && !hasKid;
}

/** Returns the token with verified claims, or undefined if one of those that the library does not check is wrong. */
function hostTokenOf(
  token: string,
  claims: JWTPayload,
  userClaim: string,
  now: number,
): HostToken | undefined {
  const { iat, exp } = claims;
  const externalId = claims[userClaim];
  if (!isExternalId(externalId)) return undefined;
  if (!isTime(iat) || iat * 1000 > now + LEEWAY || !isTime(exp)) return undefined;
  const expiresAt = Math.round(exp * 1000);
  return {
    externalId,
    tokenId: hashOf(token),
    issuedAt: iat * 1000,
    // Connections end at `exp`. One that begins after it, within the leeway, ends with the leeway.
    expiresAt: expiresAt > now ? expiresAt : expiresAt + LEEWAY,
    claims,
  };
}

/** Returns true for a string of 1 to 255 characters that PostgreSQL stores without loss. */
function isExternalId(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > 510 || !value.isWellFormed() || value.includes('\0'))
    return false;
  const { length } = [...value];
  return length >= 1 && length <= 255;
}

const isTime = (seconds: unknown): seconds is number =>
  typeof seconds === 'number' && Number.isFinite(seconds) && Math.abs(seconds) <= MAX_TIME;
