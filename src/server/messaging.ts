import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import { KeyedQueue } from '../bus/KeyedQueue.ts';
import { createMemoryTransport } from '../bus/memory.ts';
import { createOrderedBus } from '../bus/orderedBus.ts';
import type { Config } from '../config.ts';
import type { Clock } from '../database/clock.ts';
import type { Database } from '../database/database.ts';
import { createChatRecord } from '../messages/chatRecord.ts';
import { createDialogDirectory } from '../messages/dialogs.ts';
import { MessageWriter, type WriterHooks } from '../messages/MessageWriter.ts';
import { publishMessage } from '../messages/publishMessage.ts';
import { createGuard } from '../net/guard.ts';
import type { Listener } from '../net/listener.ts';
import type { Metrics } from '../observability/metrics.ts';
import { Presence } from '../presence/Presence.ts';
import { PresenceChanges } from '../presence/PresenceChanges.ts';
import { SessionLog } from '../sessions/SessionLog.ts';
import { type ConnectionHandlers, Connections } from '../socket/Connections.ts';
import { joined } from '../socket/joined.ts';
import { Reconciler } from '../socket/Reconciler.ts';
import { ServiceConnections } from '../socket/ServiceConnections.ts';

/** The parts that store messages, publish them and deliver them to the connections of this node. */
export type Messaging = Awaited<ReturnType<typeof startMessaging>>;

interface Dependencies {
  readonly config: Config;
  readonly log: Logger;
  readonly db: Database;
  readonly clock: Clock;
  readonly listener: Listener;
  readonly metrics: Metrics;
}

/** Builds these parts. They call each other: each hook finds its part when it is called, which is after the start. */
export async function startMessaging({ config, log, db, clock, listener, metrics }: Dependencies) {
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
  const handlers: ConnectionHandlers = {
    reconcile: (userId) => reconciler.user(userId),
    hidden: (connection, userId) => presence.hidden(connection, userId),
    shown: (connection, userIds) => presence.shown(connection, userIds),
  };
  const connections = new Connections(bus, listener, handlers, createGuard(log), clock);
  const reconciler = new Reconciler(db, bus, connections, log);
  const serviceConnections = new ServiceConnections(db, bus, connections, listener, log);
  const allConnections = joined(connections, serviceConnections);

  const sessions = new SessionLog(db, bus, clock, log);
  /** Changes of one thing run in it up to their push. */
  const changes = new KeyedQueue();
  const viewers = connections.presence;
  const presence = new Presence(db, changes, sessions, viewers, log);
  const presenceChanges = new PresenceChanges(db, bus, changes, sessions, viewers, log);
  await sessions.start((users) => presenceChanges.orphaned(users));

  const hooks: WriterHooks = {
    batchWritten: (drafts, seconds) => metrics.batchWritten(drafts.length, seconds),
    publish: (draft, stored, reply) => publishMessage(bus, draft, stored, reply),
    outcomeUnknown: (drafts, chatIds) => reconciler.messages(drafts, chatIds),
  };
  const writer = new MessageWriter(db, createDialogDirectory(db), hooks, log, config.limits);

  return {
    ...{
      nats,
      bus,
      connections,
      serviceConnections,
      allConnections,
      reconciler,
      sessions,
      changes,
      presence,
      presenceChanges,
      writer,
    },
    resynchroniseAll,
  };

  /** Opens the transport between the nodes. */
  async function openNats() {
    const { createNatsTransport } = await import('../bus/nats/transport.ts');
    const { natsUrl: servers, natsCreds: credentials, natsCa: authorities } = config;
    return createNatsTransport({ servers, credentials, authorities }, log, {
      catchUp: (topic, head) => bus.catchUp(topic, head),
      reconcile: () => reconciler.all(),
      resynchronise: resynchroniseAll,
    });
  }

  /** Closes all connections: what happened is in the database alone, and their clients read it there. */
  function resynchroniseAll(): void {
    log.warn('missed more publications than the replay buffers hold; asking clients to synchronise');
    connections.resynchronise(connections, 'This node missed messages; reconnect and synchronise');
  }
}
