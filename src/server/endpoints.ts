import type { Logger } from 'pino';
import type { Passwords } from '../auth/passwords.ts';
import { findKey, useKeys } from '../auth/serviceKeys.ts';
import type { Tokens, VerifyToken } from '../auth/tokens.ts';
import { Positions } from '../chats/Positions.ts';
import { Typists } from '../chats/Typists.ts';
import { registry } from '../commands/registry.ts';
import { serviceRegistry } from '../commands/service/registry.ts';
import type { createTurns } from '../commands/turns.ts';
import type { Config } from '../config.ts';
import type { Database } from '../database/database.ts';
import { asyncapiDocument, asyncapiServiceDocument } from '../docs/asyncapi.ts';
import { examples } from '../docs/examples.ts';
import { openapiDocument } from '../docs/openapi.ts';
import { reference } from '../docs/pages/reference.ts';
import type { EventFeed } from '../events/EventFeed.ts';
import { createAttemptLimits, noAttemptLimits } from '../http/attemptLimits.ts';
import { documentPages } from '../http/documentPages.ts';
import { createRouter, type Router } from '../http/router.ts';
import { routes } from '../http/routes.ts';
import { webPages } from '../http/webPages.ts';
import { type AddressOf, createAddressOf } from '../net/address.ts';
import { type CorkHost, openCorkHost } from '../net/corkHost.ts';
import type { Listener } from '../net/listener.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Tracing } from '../observability/tracing.ts';
import type { CursorSigner } from '../protocol/cursor.ts';
import { createAdmission } from '../socket/admission.ts';
import { createDispatcher } from '../socket/dispatcher.ts';
import { createUpgradeLimits } from '../socket/rateLimits.ts';
import type { ServiceKeys } from '../socket/upgrade.ts';
import { createWebSocketRoutes } from '../socket/webSocket.ts';
import type { Messaging } from './messaging.ts';
import type { Upkeep } from './upkeep.ts';

/** Dependencies of the WebSocket and of HTTP. */
export interface EndpointServices {
  readonly config: Config;
  readonly log: Logger;
  readonly db: Database;
  readonly tokens: Tokens;
  readonly verifyToken: VerifyToken;
  readonly passwords: Passwords;
  readonly signCursors: CursorSigner;
  readonly turns: ReturnType<typeof createTurns>;
  readonly metrics: Metrics;
  readonly tracing: Tracing | undefined;
  readonly messaging: Messaging;
  readonly events: EventFeed;
  readonly upkeep: Upkeep;
  /** False from the moment the server begins to stop. */
  readonly accepting: () => boolean;
}

type Mount = Parameters<Listener['listen']>[0];

export interface Endpoints {
  readonly router: Router;
  readonly corkHost: CorkHost;
  /** Mounts the WebSocket and HTTP on an app. */
  readonly mount: Mount;
}

export async function createEndpoints(services: EndpointServices): Promise<Endpoints> {
  const addressOf = createAddressOf(services.config.trustProxy);
  const corkHost = await openCorkHost();
  const mountSockets = createWebSocket(services, addressOf, corkHost);
  const router = createHttp(services, addressOf);
  return {
    router,
    corkHost,
    mount(app) {
      mountSockets(app);
      router.mount(app);
    },
  };
}

function createWebSocket(
  {
    config,
    log,
    db,
    tokens,
    verifyToken,
    signCursors,
    turns,
    metrics,
    tracing,
    messaging,
    events,
    upkeep,
    accepting,
  }: EndpointServices,
  addressOf: AddressOf,
  corkHost: CorkHost,
): Mount {
  const { limits, directory, rateLimits: isLimited } = config;
  const { bus, writer, connections, serviceConnections, sessions, presence, presenceChanges, changes, nats } =
    messaging;
  const { closures, deletions } = upkeep;
  const [typists, positions] = [new Typists(), new Positions(db)];
  const commandServices = {
    ...{ db, bus, writer, closures, changes, sessions, presence, presenceChanges, typists, positions },
    ...{ signCursors, turns, limits, directory, log, tokens, deletions, events },
  };
  const registries = { commands: registry, serviceCommands: serviceRegistry };
  const dispatcher = createDispatcher(registries, commandServices, { metrics, tracing, isLimited });
  const keys: ServiceKeys = {
    find: (presented) => findKey(db, presented),
    use: async (id) => (await useKeys(db, [id])).has(id),
  };
  const admission = createAdmission(db, nats !== undefined);
  const upgrades = createUpgradeLimits(limits);
  return createWebSocketRoutes(
    {
      ...{
        connections,
        serviceConnections,
        sessions,
        presenceChanges,
        admission,
        verifyToken,
        keys,
        upgrades,
      },
      ...{ addressOf, corkHost, accepting, limits, isLimited, log },
    },
    dispatcher,
    metrics,
  );
}

function createHttp(
  {
    config,
    log,
    db,
    tokens,
    verifyToken,
    passwords,
    metrics,
    tracing,
    messaging,
    upkeep,
    accepting,
  }: EndpointServices,
  addressOf: AddressOf,
): Router {
  const { limits, registration, corsOrigins } = config;
  const { bus, writer, changes, nats } = messaging;
  const { deletions } = upkeep;
  const attempts = config.rateLimits ? createAttemptLimits(limits, nats && db) : noAttemptLimits;
  const documents = documentPages({
    asyncapi: () => asyncapiDocument(registry.values(), examples),
    asyncapiService: () => asyncapiServiceDocument(serviceRegistry.values(), examples),
    openapi: () => openapiDocument(routes, examples),
    reference: reference([...registry.values(), ...serviceRegistry.values()], routes, examples),
  });
  const pages = new Map([...documents, ...webPages(config.tlsCert !== undefined)]);
  const services = {
    ...{ db, bus, writer, changes, deletions, tokens, verifyToken, passwords, attempts },
    ...{ limits, registration, log, accepting, metricsText: metrics.text },
  };
  return createRouter(routes, pages, services, { metrics, tracing, addressOf, corsOrigins });
}
