import type { UserId } from '../ids.ts';

/** The user and the token of a connection. */
export interface Session {
  readonly userId: UserId;
  readonly tokenVersion: number;
  /** Distinguishes the logins of the user; see `TokenClaims`. */
  readonly tokenId: string;
  /** The user's `othersEndedAt` when the token was issued; see `TokenClaims`. */
  readonly since: number | undefined;
  /** When the token was issued, in milliseconds since the epoch. */
  readonly issuedAt: number;
  /** When the token expires, in milliseconds since the epoch, by the clock of the database. */
  readonly expiresAt: number;
}
