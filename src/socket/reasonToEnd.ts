import type { Signal } from '../bus/bus.ts';
import type { Connection } from './Connection.ts';

/**
 * Returns the reason for which a signal ends a connection of the user that it is about; undefined where it does not. A
 * signal that arrives late, as after an outage, must not end the connections of those who have logged in since.
 */
export function reasonToEnd(
  { sessionId, session }: Pick<Connection, 'sessionId' | 'session'>,
  signal: Signal,
): string | undefined {
  switch (signal.kind) {
    case 'revoked': {
      const isOlder = signal.tokenVersion === undefined || session.tokenVersion < signal.tokenVersion;
      return isOlder ? 'The token was revoked' : undefined;
    }
    case 'ended': {
      const hasToken = session.tokenId === signal.tokenId;
      return sessionId === signal.sessionId || hasToken ? 'The session was ended' : undefined;
    }
    case 'othersEnded': {
      const isNew = signal.since !== undefined && isIssuedSince(session, signal.since);
      return sessionId === signal.sessionId || isNew ? undefined : 'The session was ended';
    }
    default:
      return undefined;
  }
}

/** Compares as the database does, see auth/tokenValidity.ts. */
function isIssuedSince({ since, issuedAt }: Connection['session'], endedAt: number): boolean {
  return since === undefined ? issuedAt > endedAt : since === endedAt;
}
