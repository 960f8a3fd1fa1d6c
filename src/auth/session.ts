import type { UserId } from '../ids.ts';

/** Who a connection acts as, taken from its token. */
export interface Session {
  readonly userId: UserId;
  readonly tokenVersion: number;
  /** Tells the logins of the user apart; see `TokenClaims`. */
  readonly tokenId: string;
  /** Which end of the other sessions the token comes after; see `TokenClaims`. */
  readonly since: number | undefined;
  /** When the token was issued, in milliseconds since the epoch. */
  readonly issuedAt: number;
  /** When the token expires, in milliseconds since the epoch, by the clock of the database. */
  readonly expiresAt: number;
}
