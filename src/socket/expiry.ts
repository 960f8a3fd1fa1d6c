import type { Clock } from '../database/clock.ts';
import type { Guard } from '../net/guard.ts';
import { CloseCode } from '../protocol/closeCodes.ts';
import type { Connection } from './Connection.ts';
import type { ConnectionRegistry } from './ConnectionRegistry.ts';
import { createRounds } from './rounds.ts';

/** Milliseconds between two looks at whether a token has expired, and the steps into which a look is divided. */
const INTERVAL = 500;
const STEPS = 10;

/** Closes connections within half a second after their token has expired by the `clock`. */
export function watchExpiry(connections: ConnectionRegistry, clock: Clock, guard: Guard): { close(): void } {
  let now = 0;
  const step = createRounds(connections, STEPS, (connection) => closeExpired(connection, now));
  const timer = setInterval(
    guard('expired tokens', () => {
      now = clock.now();
      step();
    }),
    INTERVAL / STEPS,
  );
  return { close: () => clearInterval(timer) };
}

/** Closes a connection whose token has expired at a time in milliseconds since the epoch. */
export function closeExpired(connection: Connection, now: number): void {
  if (connection.session.expiresAt <= now) connection.close(CloseCode.Unauthorized, 'The token has expired');
}
