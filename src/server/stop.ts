import { setTimeout as delay } from 'node:timers/promises';
import type { Passwords } from '../auth/passwords.ts';
import type { createTurns } from '../commands/turns.ts';
import type { DatabaseClock } from '../database/clock.ts';
import type { Database } from '../database/database.ts';
import type { EventFeed } from '../events/EventFeed.ts';
import type { Listener } from '../net/listener.ts';
import type { Tracing } from '../observability/tracing.ts';
import { CloseCode } from '../protocol/closeCodes.ts';
import { drainConnections } from '../socket/drain.ts';
import type { SocketConnection } from '../socket/SocketConnection.ts';
import type { Endpoints } from './endpoints.ts';
import type { Messaging } from './messaging.ts';
import type { Upkeep } from './upkeep.ts';

/** Milliseconds for which a stop waits for what is in flight. */
const GRACE = 5_000;

/** The parts of a server that listens. */
export interface ServerParts {
  readonly db: Database;
  readonly clock: DatabaseClock;
  readonly listener: Listener;
  readonly passwords: Passwords;
  /** Turns of users on the connections to the database; see {@link createTurns}. */
  readonly turns: ReturnType<typeof createTurns>;
  readonly tracing: Tracing | undefined;
  readonly messaging: Messaging;
  readonly events: EventFeed;
  readonly upkeep: Upkeep;
  readonly endpoints: Endpoints;
}

/**
 * Stops the parts of a server that accepts nothing new, in this order: the connections without a command in flight, within
 * `drainTime` milliseconds; the port; what is in flight; the other connections; what works in the background; the bus;
 * and the database.
 */
export async function stop(parts: ServerParts, drainTime: number): Promise<void> {
  const { db, clock, listener, passwords, tracing, messaging, events, upkeep, endpoints } = parts;
  const { allConnections, serviceConnections, connections, writer } = messaging;
  try {
    if (listener.isShared) await listener.stop();
    await drainConnections(allConnections, 'This node is stopping; connect again', drainTime);
    await listener.stop();
    await Promise.all([passwords.close(), upkeep.deletions.close(), upkeep.closures.close()]);
    await untilIdle(endpoints, allConnections);
    await writer.drain();
    for (const connection of allConnections) connection.close(CloseCode.GoingAway, 'The server is stopping');
    for (const part of [connections, upkeep.sendBuffers, upkeep.eventLoop, upkeep.outbox, clock])
      part.close();
    for (const part of [messaging.reconciler, messaging.presenceChanges]) part.close();
    await Promise.all([messaging.sessions.close(), serviceConnections.close(), upkeep.indexer.close()]);
    const { webhooks, databaseRuns, foldedNames, oldEvents } = upkeep;
    await Promise.all([events, webhooks, databaseRuns, foldedNames, oldEvents].map((part) => part.close()));
    listener.close();
    endpoints.corkHost.close();
    const isPublished = db.unpublished.isEmpty && messaging.bus.isConnected;
    await messaging.bus.close();
    if (isPublished) await messaging.sessions.leave();
  } finally {
    // An embedded database must not stay behind, whatever went wrong before.
    await Promise.all([db.close(), passwords.close(), tracing?.close()]);
  }
}

/** Resolves when everything accepted was answered, or the grace is over. */
async function untilIdle({ router }: Endpoints, connections: Iterable<SocketConnection>): Promise<void> {
  const deadline = performance.now() + GRACE;
  const isBusy = () =>
    router.unanswered > 0 ||
    router.expectsRequest() ||
    [...connections].some(({ receiver }) => receiver?.unanswered());
  while (isBusy() && performance.now() < deadline) await delay(20);
}
