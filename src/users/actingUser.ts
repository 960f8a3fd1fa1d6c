import type { TokenClaims } from '../auth/tokens.ts';
import type { Publisher } from '../bus/bus.ts';
import type { Database } from '../database/database.ts';
import type { ConnectionId } from '../ids.ts';

/** The user who changes something, the connection that asked for it, and what every change needs. */
export interface ActingUser {
  readonly session: Pick<TokenClaims, 'userId'>;
  /** The connection gets the reply, and not the push. */
  readonly origin: ConnectionId;
  readonly db: Database;
  readonly bus: Publisher;
}
