import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { finishDeletions } from './accounts/deleteAccount.ts';
import { createPasswords } from './auth/passwords.ts';
import { createTokens } from './auth/tokens.ts';
import type { Bus } from './bus/bus.ts';
import { KeyedQueue } from './bus/KeyedQueue.ts';
import { createMemoryTransport } from './bus/memory.ts';
import { createNatsTransport } from './bus/nats/transport.ts';
import { createOrderedBus } from './bus/orderedBus.ts';
import { watchOutbox } from './bus/outbox.ts';
import { emptyClosedGroups } from './chats/closures.ts';
import { Positions } from './chats/Positions.ts';
import { Typists } from './chats/Typists.ts';
import { registry } from './commands/registry.ts';
import { createTurns } from './commands/turns.ts';
import type { Config } from './config.ts';
import { startDatabaseClock } from './database/clock.ts';
import { poolSizes } from './database/database.ts';
import { fillFoldedNames, warnOfAmbiguousNames, watchFoldedNames } from './database/foldedNames.ts';
import { migrate } from './database/migrations.ts';
import { startDatabase } from './database/start.ts';
import { prepareDataDir, secretFile } from './dataDir.ts';
import { asyncapiDocument } from './docs/asyncapi.ts';
import { examples } from './docs/examples.ts';
import { openapiDocument } from './docs/openapi.ts';
import { createAttemptLimits, noAttemptLimits } from './http/attempts.ts';
import { documentPages } from './http/pages.ts';
import { createRouter } from './http/router.ts';
import { routes } from './http/routes.ts';
import { webPages } from './http/webPages.ts';
import { createDialogDirectory } from './messages/dialogs.ts';
import { MessageWriter } from './messages/MessageWriter.ts';
import { createChatRecord } from './messages/missed.ts';
import { publishMessage } from './messages/publishMessage.ts';
import { SearchIndexer } from './messages/searchIndex.ts';
import { createAddressOf } from './net/address.ts';
import { openCorkHost } from './net/corkHost.ts';
import { createGuard } from './net/guard.ts';
import { createListener } from './net/listener.ts';
import { watchEventLoop } from './observability/eventLoop.ts';
import { createMetrics } from './observability/metrics.ts';
import { createTracing } from './observability/tracing.ts';
import { Presence } from './presence/Presence.ts';
import { CloseCode } from './protocol/closeCodes.ts';
import { createCursorSigner } from './protocol/cursor.ts';
import { storedSecret } from './secrets.ts';
import { SessionLog } from './sessions/SessionLog.ts';
import { createAdmission } from './socket/admission.ts';
import type { Connection } from './socket/Connection.ts';
import { Connections } from './socket/Connections.ts';
import { createDispatcher } from './socket/dispatcher.ts';
import { drainConnections } from './socket/drain.ts';
import { createUpgradeLimits } from './socket/rateLimits.ts';
import { Reconciler } from './socket/reconcile.ts';
import { watchSendBuffers } from './socket/sendBuffers.ts';
import { createWebSocketRoutes } from './socket/webSocket.ts';
import { recordDatabaseRuns } from './sync/databaseRuns.ts';
import { VERSION } from './version.ts';

export interface Server {
  readonly port: number;
  /** How it is doing, in a few numbers for an operator. */
  summary(): object;
  /** Stops: accepts nothing new, finishes what is in flight, closes sockets with 1001, then the database. */
  close(): Promise<void>;
}

/** How long a stop waits for what is in flight, in milliseconds. */
const GRACE = 5_000;

/**
 * Builds every part once, hands each what it needs, and listens. `migrating` is called every few seconds for as long as
 * it goes on bringing the schema up to date, or waits for another node that does.
 */
export async function startServer(
  config: Config,
  log: Logger,
  migrating: () => void = () => {},
): Promise<Server> {
  // What the operator has to mend is told before the database is started and migrated.
  await prepareDataDir(config);
  const listener = await createListener(config, log);
  const db = await startDatabase(config, log);
  try {
    const migrations = await migrate(db, { log, alive: migrating });
    if (migrations.length > 0) log.info({ migrations }, 'database migrated');
    await fillFoldedNames(db, reportFolding(log, migrating));
    await warnOfAmbiguousNames(db, log);
    return await serve();
  } catch (error) {
    await db.close();
    throw error;
  }

  async function serve(): Promise<Server> {
    const { limits } = config;
    const tracing = config.otelExporterOtlpEndpoint ? await createTracing(config.otelServiceName) : undefined;
    const [secret = await storedSecret(secretFile(config)), ...older] = config.jwtSecret;
    const clock = await startDatabaseClock(db, log);
    const tokens = createTokens([secret, ...older], config.jwtExpiresIn, clock);
    const signCursors = createCursorSigner([secret, ...older]);
    const turns = createTurns(poolSizes(config.databasePoolSize));
    const passwords = createPasswords(config.passwordThreads, config.passwordCost, log);
    const nats = config.natsUrl.length > 0 ? await openNats() : undefined;
    const bus: Bus = createOrderedBus(
      nats ?? createMemoryTransport((topic, head) => bus.catchUp(topic, head)),
      {
        record: createChatRecord(db),
        log,
        underWay: (chatId) => writer.underWay(chatId),
        gapFilled: (messages) => metrics.gapFilled(messages),
        gapTooLarge: (topic, chatId) => connections.resynchroniseTopic(topic, chatId),
      },
    );
    const connections = new Connections(
      bus,
      listener,
      {
        reconcile: (userId) => reconciler.user(userId),
        hidden: (connection, userId) => presence.hidden(connection, userId),
        shown: (connection, userIds) => presence.shown(connection, userIds),
      },
      createGuard(log),
      clock,
    );
    const reconciler = new Reconciler(db, bus, connections, log);

    const sessions = new SessionLog(db, clock, log);
    const changes = new KeyedQueue();
    const presence = new Presence(db, bus, changes, sessions, connections.presence, log);
    await sessions.start((users) => presence.orphaned(users));

    const metrics = createMetrics({
      connections: () => connections.size,
      users: () => connections.users,
      writerQueue: () => writer.queueLength,
      searchLag: () => indexer.lag,
      poolUse,
      heavyWaiting: () => turns.heavyReads.waiting,
      searchStalled: () => indexer.stalledSeconds,
      certificateUntil: () => listener.certificateUntil,
      nats: () => nats,
    });
    const writer = new MessageWriter(
      db,
      createDialogDirectory(db),
      {
        batchWritten: (drafts, seconds) => metrics.batchWritten(drafts.length, seconds),
        publish: (draft, stored, reply) => publishMessage(bus, draft, stored, reply),
        outcomeUnknown: (drafts, chatIds) => reconciler.messages(drafts, chatIds),
      },
      log,
      limits,
    );

    const dropSlow = (connection: Connection) => {
      metrics.slowConsumerDropped();
      connection.cut();
    };
    const buffers = watchSendBuffers(connections, limits.sendBuffersBytes, dropSlow, log);
    const indexer = new SearchIndexer(db, log);
    const databaseRuns = recordDatabaseRuns(db, log);
    const foldedNames = watchFoldedNames(db, log);

    const deletions = finishDeletions({ db, bus, writer, log });
    const closures = emptyClosedGroups(db, log);

    const loop = watchEventLoop(log);
    const outbox = watchOutbox(db, bus.receive, resynchroniseAll, log);
    let accepting = true;
    const addressOf = createAddressOf(config.trustProxy);
    const services = { db, bus, tokens, limits, log, accepting: () => accepting };
    const isLimited = config.rateLimits;
    const [typists, positions] = [new Typists(), new Positions(db)];
    const commandServices = {
      ...services,
      writer,
      closures,
      changes,
      sessions,
      presence,
      typists,
      positions,
      signCursors,
      turns,
    };
    const dispatcher = createDispatcher(registry, commandServices, { metrics, tracing, isLimited });
    const entries = createAdmission(db, nats !== undefined);
    const corkHost = await openCorkHost();
    const mountSockets = createWebSocketRoutes(
      {
        ...{
          ...services,
          connections,
          sessions,
          presence,
          admission: entries,
          addressOf,
          isLimited,
          corkHost,
        },
        upgrades: createUpgradeLimits(limits),
      },
      dispatcher,
      metrics,
    );

    const attempts = isLimited ? createAttemptLimits(limits, nats && db) : noAttemptLimits;
    const documents = documentPages({
      asyncapi: () => asyncapiDocument(registry.values(), examples),
      openapi: () => openapiDocument(routes, examples),
    });
    const pages = new Map([...documents, ...webPages(config.tlsCert !== undefined)]);
    const routeServices = {
      ...services,
      writer,
      deletions,
      changes,
      passwords,
      attempts,
      metricsText: metrics.text,
    };
    const { corsOrigins } = config;
    const router = createRouter(routes, pages, routeServices, { metrics, tracing, addressOf, corsOrigins });

    await listener.listen((app) => {
      mountSockets(app);
      router.mount(app);
    });

    return {
      port: listener.port,
      summary: () => ({
        version: VERSION,
        uptimeSeconds: Math.round(process.uptime()),
        accepting,
        connections: connections.size,
        users: connections.users,
        unanswered:
          router.unanswered +
          [...connections].reduce((sum, one) => sum + (one.receiver?.unanswered() ?? 0), 0),
        queue: writer.queueLength,
        databasePools: poolUse(),
        nats: nats && { connected: nats.connected, subscriptions: nats.subscriptions },
        memoryBytes: process.memoryUsage(),
      }),
      async close() {
        try {
          accepting = false;
          await drainConnections(
            connections,
            'This node is stopping; connect again',
            config.drainSeconds * 1000,
          );
          listener.stop();
          await Promise.all([passwords.close(), deletions.close(), closures.close()]);
          await idle();
          await writer.drain();
          for (const connection of connections)
            connection.close(CloseCode.GoingAway, 'The server is stopping');
          connections.close();
          buffers.close();
          loop.close();
          outbox.close();
          clock.close();
          reconciler.close();
          presence.close();
          await Promise.all([sessions.close(), indexer.close()]);
          await Promise.all([databaseRuns.close(), foldedNames.close()]);
          listener.close();
          corkHost.close();
          await bus.close();
        } finally {
          // An embedded database must not stay behind, whatever went wrong before.
          await Promise.all([db.close(), passwords.close(), tracing?.close()]);
        }
      },
    };

    function poolUse() {
      return { reads: db.reads.poolUse(), heavyReads: db.heavyReads.poolUse(), changes: db.poolUse() };
    }

    /** What happened is in the database alone: clients connect again and read it there. */
    function resynchroniseAll(): void {
      log.warn('more was missed than is kept; clients are sent to synchronise');
      connections.resynchronise(connections, 'This node missed something; connect again and synchronise');
    }

    /** What connects the nodes, where there are several. */
    function openNats() {
      const { natsUrl: servers, natsCreds: credentials, natsCa: authorities } = config;
      return createNatsTransport({ servers, credentials, authorities }, log, {
        lost: (topic, head) => bus.catchUp(topic, head),
        returned: () => reconciler.all(),
        forgotten: resynchroniseAll,
      });
    }

    /** Resolves when everything accepted was answered, or the grace is over. */
    async function idle(): Promise<void> {
      const deadline = performance.now() + GRACE;
      const busy = () =>
        router.unanswered > 0 || [...connections].some(({ receiver }) => receiver?.unanswered());
      while (busy() && performance.now() < deadline) await delay(20);
    }
  }
}

/** Logs every ten seconds how many names a start has folded, which after an upgrade may be all. */
function reportFolding(log: Logger, migrating: () => void): (rows: number) => void {
  let reportedAt = performance.now();
  return (rows) => {
    migrating();
    if (performance.now() - reportedAt < 10_000) return;
    reportedAt = performance.now();
    log.info({ rows }, 'folding names');
  };
}
