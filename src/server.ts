import type { Logger } from 'pino';
import { createHostSessions } from './accounts/hostSessions.ts';
import { openHostKeys } from './auth/hostKeys.ts';
import type { HostKeys } from './auth/hostTokens.ts';
import { createPasswords } from './auth/passwords.ts';
import { createTokens, type VerifyToken } from './auth/tokens.ts';
import { createTurns } from './commands/turns.ts';
import type { Config } from './config.ts';
import { startDatabaseClock } from './database/clock.ts';
import { type Database, poolSizes } from './database/database.ts';
import { prepareDataDir, secretFile } from './dataDir.ts';
import { eventCursors } from './events/cursor.ts';
import { EventFeed } from './events/EventFeed.ts';
import { createListener, type Listener } from './net/listener.ts';
import { createMetrics, type Metrics } from './observability/metrics.ts';
import { createTracing, type Tracing } from './observability/tracing.ts';
import { createCursorSigner } from './protocol/cursor.ts';
import { StartError } from './protocol/errors.ts';
import { storedSecret } from './secrets.ts';
import { createEndpoints } from './server/endpoints.ts';
import { startMessaging } from './server/messaging.ts';
import { type ServerParts, stop } from './server/stop.ts';
import { openStorage } from './server/storage.ts';
import { startUpkeep } from './server/upkeep.ts';
import { VERSION } from './version.ts';

export interface Server {
  readonly port: number;
  /** Identifies the node in the table `nodes`. */
  readonly nodeId: string;
  /** Returns its state in a few numbers for an operator. */
  summary(): object;
  /** Stops: accepts nothing new, finishes what is in flight, closes sockets with 1001, then the database. */
  close(): Promise<void>;
}

/**
 * Builds every part once, passes each its dependencies, and listens. `migrating` is called every few seconds for as long
 * as it goes on bringing the schema up to date, or waits for another node that does.
 */
export async function startServer(
  config: Config,
  log: Logger,
  migrating: () => void = () => {},
): Promise<Server> {
  // Errors that the operator has to mend come before the database is started and migrated.
  await prepareDataDir(config);
  const listener = await createListener(config, log);
  const hostKeys = await openHostKeys(config, log);
  const tracing = config.otelExporterOtlpEndpoint ? await createTracing(config.otelServiceName) : undefined;
  const db = await openStorage(config, log, migrating);
  try {
    return await serve({ config, log, listener, hostKeys, tracing, db });
  } catch (error) {
    await db.close();
    throw error;
  }
}

interface Foundation {
  readonly config: Config;
  readonly log: Logger;
  readonly listener: Listener;
  /** Undefined if no tokens of a host are accepted. */
  readonly hostKeys: HostKeys | undefined;
  readonly tracing: Tracing | undefined;
  readonly db: Database;
}

async function serve({ config, log, listener, hostKeys, tracing, db }: Foundation): Promise<Server> {
  let isAccepting = true;
  const accepting = () => isAccepting;

  const [secret = await storedSecret(secretFile(config)), ...older] = config.jwtSecret;
  if (config.authSecret === secret)
    throw new StartError(
      'AUTH_SECRET is the secret in DATA_DIR; expected one that signs no tokens of this server',
    );
  const clock = await startDatabaseClock(db, log);
  const tokens = createTokens([secret, ...older], config.jwtExpiresIn, clock);
  const signCursors = createCursorSigner([secret, ...older]);
  const passwords = createPasswords(config.passwordThreads, config.passwordCost, log);
  const turns = createTurns(poolSizes(config.databasePoolSize));
  const metrics = metricsOf(() => parts);

  const messaging = await startMessaging({ config, log, db, clock, listener, metrics });
  const hostTokens =
    hostKeys && (await import('./auth/hostTokens.ts')).createHostTokens(config, hostKeys, clock, log);
  const hostSessionOf = hostTokens && createHostSessions(hostTokens, { db, ...messaging });
  const verifyToken: VerifyToken = (token) => tokens.verify(token) ?? hostSessionOf?.(token);
  const source = { db, keptDays: config.eventDays };
  const events = new EventFeed(source, eventCursors(signCursors), log);
  const upkeep = startUpkeep({ log, source, clock, config, metrics, messaging });
  const endpoints = await createEndpoints({
    ...{ config, log, db, tokens, verifyToken, passwords, signCursors, turns },
    ...{ metrics, tracing, messaging, events, upkeep, accepting },
  });
  const parts: ServerParts = {
    ...{ db, clock, listener, passwords, turns, tracing, messaging, events, upkeep, endpoints },
  };
  await listener.listen(endpoints.mount);

  return {
    port: listener.port,
    nodeId: messaging.sessions.nodeId,
    summary: () => ({ version: VERSION, accepting: isAccepting, ...summaryOf(parts) }),
    close() {
      isAccepting = false;
      return stop(parts, config.drainSeconds * 1000);
    },
  };
}

/** Creates the metrics, which read from the parts of the server when they are asked for: once it listens. */
function metricsOf(parts: () => ServerParts): Metrics {
  return createMetrics({
    connections: () => parts().messaging.allConnections.size,
    users: () => parts().messaging.connections.users,
    writerQueue: () => parts().messaging.writer.queueLength,
    searchLag: () => parts().upkeep.indexer.lag,
    poolUse: () => poolUse(parts().db),
    heavyWaiting: () => parts().turns.heavyReads.waiting,
    searchStalled: () => parts().upkeep.indexer.stalledSeconds,
    certificateUntil: () => parts().listener.certificateUntil,
    webhooks: () => parts().upkeep.webhooks.readings,
    nats: () => parts().messaging.nats,
  });
}

function summaryOf({ db, messaging, endpoints }: ServerParts): object {
  const { allConnections, connections, writer, nats } = messaging;
  return {
    uptimeSeconds: Math.round(process.uptime()),
    connections: allConnections.size,
    users: connections.users,
    unanswered:
      endpoints.router.unanswered +
      [...allConnections].reduce((sum, { receiver }) => sum + (receiver?.unanswered() ?? 0), 0),
    queue: writer.queueLength,
    databasePools: poolUse(db),
    nats: nats && { connected: nats.connected, subscriptions: nats.subscriptions },
    memoryBytes: process.memoryUsage(),
  };
}

function poolUse(db: Database) {
  return { reads: db.reads.poolUse(), heavyReads: db.heavyReads.poolUse(), changes: db.poolUse() };
}
