import type { Logger } from 'pino';
import { finishDeletions } from '../accounts/deleteAccount.ts';
import { type OutboxMessage, watchOutbox } from '../bus/outbox.ts';
import type { Topic } from '../bus/topics.ts';
import { emptyClosedGroups } from '../chats/closures.ts';
import type { Config } from '../config.ts';
import type { Clock } from '../database/clock.ts';
import { watchFoldedNames } from '../database/foldedNames.ts';
import type { EventSource } from '../events/listEvents.ts';
import { deleteOldEvents } from '../events/oldEvents.ts';
import { SearchIndexer } from '../messages/SearchIndexer.ts';
import { watchEventLoop } from '../observability/eventLoop.ts';
import type { Metrics } from '../observability/metrics.ts';
import { watchSendBuffers } from '../socket/sendBuffers.ts';
import { recordDatabaseRuns } from '../sync/databaseRuns.ts';
import { WebhookDeliverer } from '../webhooks/WebhookDeliverer.ts';
import type { Messaging } from './messaging.ts';

/** The parts that run in the background. */
export type Upkeep = ReturnType<typeof startUpkeep>;

interface Dependencies {
  readonly log: Logger;
  readonly source: EventSource;
  readonly clock: Clock;
  readonly config: Config;
  readonly metrics: Metrics;
  readonly messaging: Messaging;
}

export function startUpkeep({ log, source, clock, config, metrics, messaging }: Dependencies) {
  const { db } = source;
  const { bus, writer, allConnections, reconciler, resynchroniseAll } = messaging;
  const receive = (topic: Topic, message: OutboxMessage) => {
    if (!('died' in message)) bus.receive(topic, message);
    else if (bus.isShared) reconciler.nodeDied(message.died);
  };
  return {
    indexer: new SearchIndexer(db, log),
    databaseRuns: recordDatabaseRuns(db, log),
    foldedNames: watchFoldedNames(db, log),
    deletions: finishDeletions({ db, bus, writer, log }),
    closures: emptyClosedGroups(db, log),
    oldEvents: deleteOldEvents(db, config.eventDays, log),
    webhooks: new WebhookDeliverer({
      ...{ source, clock, log, metrics },
      allowsPrivate: config.webhookPrivateNetworks,
    }),
    eventLoop: watchEventLoop(log),
    outbox: watchOutbox(db, receive, resynchroniseAll, log),
    sendBuffers: watchSendBuffers(
      allConnections,
      config.limits.sendBuffersBytes,
      (connection) => {
        metrics.slowConsumerDropped();
        connection.cut();
      },
      log,
    ),
  };
}
