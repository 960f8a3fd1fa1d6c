import type { Database } from '../database/database.ts';
import type { User } from '../database/models/User.ts';
import { ApiError } from '../protocol/errors.ts';
import type { VerifyToken } from './tokens.ts';
import { tokenBind, tokenIsValid } from './tokenValidity.ts';

/** Returns the user of a bearer token; refuses with `UNAUTHORIZED` when it is missing, invalid or revoked. */
export async function authenticate(db: Database, verify: VerifyToken, authorization: string): Promise<User> {
  const claims = await verify(bearerToken(authorization) ?? '');
  const [valid] = claims ? await db.query(`select from users where ${tokenIsValid}`, tokenBind(claims)) : [];
  const user = valid && claims && (await db.users.findByPk(claims.userId));
  if (!user || user.tokenVersion !== claims.tokenVersion)
    throw new ApiError('UNAUTHORIZED', 'The token is missing, invalid, expired or revoked');
  return user;
}

/** Returns the token of an `Authorization: Bearer` header (RFC 6750). The case of the scheme is ignored. */
export function bearerToken(authorization: string): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization)?.[1];
}
