import type { TokenClaims } from '../../src/auth/tokens.ts';
import { id } from './ids.ts';

/** The claims of the token of a connection that has no server. */
export const claims: TokenClaims = {
  userId: id(7),
  tokenVersion: 1,
  tokenId: 'token',
  since: 0,
  issuedAt: 0,
  expiresAt: 0,
};
