import type { UserId } from '../ids.ts';

/** Who a connection acts as, taken from its token. */
export interface Session {
  readonly userId: UserId;
  readonly tokenVersion: number;
  /** Tells the logins of the user apart; see `TokenClaims`. */
  readonly tokenId: string;
  /** When the token was issued, in milliseconds since the epoch. */
  readonly issuedAt: number;
  /** When the token expires, in milliseconds since the epoch. */
  readonly expiresAt: number;
}
