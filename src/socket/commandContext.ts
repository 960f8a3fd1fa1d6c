import type { CommandContext, CommandServices } from '../commands/context.ts';
import type { ConnectionId, SessionId, UserId } from '../ids.ts';
import type { CommandQueue } from './CommandQueue.ts';
import type { Connection } from './Connection.ts';

/** No session: ids of sessions begin with 1. */
const NO_SESSION = 0 as SessionId;

/** Returns the context of the commands that a service connection sends as a user. The user has no connection there. */
export function actingContextOf(
  services: CommandServices,
  userId: UserId,
  id: ConnectionId,
  queue: CommandQueue,
): CommandContext {
  const session = {
    userId,
    tokenVersion: 0,
    tokenId: '',
    since: undefined,
    issuedAt: 0,
    expiresAt: Infinity,
  };
  return commandContextOf(services, { session, sessionId: NO_SESSION, id }, queue);
}

/**
 * Returns the context of the commands of a connection. It names each property: an object that is spread takes 800 bytes,
 * this one 250.
 */
export function commandContextOf(
  services: CommandServices,
  { session, sessionId, id: origin }: Pick<Connection, 'session' | 'sessionId' | 'id'>,
  queue: CommandQueue,
): CommandContext {
  return {
    writer: services.writer,
    presence: services.presence,
    presenceChanges: services.presenceChanges,
    typists: services.typists,
    positions: services.positions,
    sessions: services.sessions,
    bus: services.bus,
    changes: services.changes,
    db: services.db,
    closures: services.closures,
    limits: services.limits,
    directory: services.directory,
    log: services.log,
    signCursors: services.signCursors,
    turns: services.turns,
    session,
    sessionId,
    origin,
    finish: () => queue.finish(),
  };
}
