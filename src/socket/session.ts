import type { UserId } from '../ids.ts';

/** Who a connection acts as, taken from its token. */
export interface Session {
  readonly userId: UserId;
  readonly tokenVersion: number;
  /** When the token expires, in milliseconds since the epoch. */
  readonly expiresAt: number;
}
