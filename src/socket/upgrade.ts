import type { HttpRequest, HttpResponse, us_socket_context_t } from 'uWebSockets.js';
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { type PresentedKey, readApiKey } from '../auth/apiKeys.ts';
import type { ServiceKey } from '../auth/serviceKeys.ts';
import type { TokenClaims, VerifyToken } from '../auth/tokens.ts';
import { refusalOf } from '../database/failures.ts';
import { refuseUncertain, respondError } from '../http/response.ts';
import type { KeyId, UserId } from '../ids.ts';
import type { Limits } from '../limits.ts';
import { type AddressOf, networkOf } from '../net/address.ts';
import type { CorkHost } from '../net/corkHost.ts';
import type { Guard } from '../net/guard.ts';
import { readHeaders } from '../net/headers.ts';
import { framingOf } from '../net/requestLength.ts';
import type { Metrics } from '../observability/metrics.ts';
import { CloseCode } from '../protocol/closeCodes.ts';
import { ApiError, internal, LimitError } from '../protocol/errors.ts';
import type { Admission } from './admission.ts';
import type { Connection } from './Connection.ts';
import type { Connections } from './Connections.ts';
import type { UpgradeLimits, UpgradeRefusal } from './rateLimits.ts';
import { ServiceConnection } from './ServiceConnection.ts';
import type { ServiceConnections } from './ServiceConnections.ts';
import type { SocketConnection } from './SocketConnection.ts';
import type { SocketData } from './SocketData.ts';
import { readUpgradeRequest, type UpgradeRequest } from './upgradeRequest.ts';

/** The API keys in the database. */
export interface ServiceKeys {
  /** Returns the key that was presented, if it is valid. */
  find(presented: PresentedKey): Promise<ServiceKey | undefined>;
  /** Notes the use of a key; returns false if it is not valid any more. */
  use(id: KeyId): Promise<boolean>;
}

export interface UpgradeServices {
  readonly verifyToken: VerifyToken;
  readonly connections: Connections;
  readonly serviceConnections: ServiceConnections;
  readonly keys: ServiceKeys;
  readonly addressOf: AddressOf;
  readonly limits: Limits;
  readonly isLimited: boolean;
  /** Takes an upgrade from the rate limiters; returns which of them refuses it, if one does. */
  readonly upgrades: UpgradeLimits;
  readonly admission: Admission;
  readonly accepting: () => boolean;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly guard: Guard;
  readonly corkHost: CorkHost;
  /** Called when the socket is open. */
  readonly opened: (connection: Connection | ServiceConnection) => void;
}

/** Answers an upgrade: with a socket for a valid token, with 401 otherwise. */
export async function upgrade(
  res: HttpResponse,
  req: HttpRequest,
  context: us_socket_context_t,
  services: UpgradeServices,
): Promise<void> {
  const { metrics } = services;
  let connection: Connection | ServiceConnection | undefined;
  let isAborted = false;
  const abort = () => {
    isAborted = true;
    if (connection) remove(connection, services);
  };
  res.onAborted(services.guard('upgrade abort', abort));

  const headers = readHeaders(req);
  if (framingOf(headers) !== 'certain') {
    metrics.upgradeDone('BAD_REQUEST');
    return refuseUncertain(res);
  }
  const request = readUpgradeRequest(res, req, headers, services.addressOf);
  try {
    const owner = await authorize(request, services);
    if (isAborted) return;
    connection = register(owner, request, services);
    await admit(connection, services);
    openSocket(res, context, request, connection, services);
    services.opened(connection);
    metrics.upgradeDone('ok');
  } catch (error) {
    if (connection?.socket) {
      bug(error, services.log);
      return connection.close(CloseCode.InternalError, 'The server failed'); // its close handler removes it
    }
    if (connection) remove(connection, services);
    if (!isAborted) refuse(res, error, services);
  }
}

/** Returns the session of the token, or the API key; throws where it is not valid, or a limit is reached. */
async function authorize(
  { token, apiKey, address }: UpgradeRequest,
  services: UpgradeServices,
): Promise<TokenClaims | ServiceKey> {
  if (!services.accepting()) throw stopping();
  const network = networkOf(address);
  if (apiKey !== undefined) return authorizeService(apiKey, network, services);
  const session = await services.verifyToken(token);
  if (!session)
    throw new ApiError('UNAUTHORIZED', 'The token is missing, malformed, expired or wrongly signed');
  if (!services.isLimited) return session;
  assertRoom(services, session.userId, network);
  assertWithin(services.upgrades.ofUser(session.userId, network));
  return session;
}

/** The look at the database is limited by address; only services with a valid key count against the limit of all. */
async function authorizeService(
  apiKey: string,
  network: string,
  services: UpgradeServices,
): Promise<ServiceKey> {
  const { keys, serviceConnections, isLimited, limits, upgrades } = services;
  const presented = readApiKey(apiKey);
  if (presented && isLimited) assertWithin(upgrades.ofAddress(network));
  const key = presented && (await keys.find(presented));
  if (!key) throw new ApiError('UNAUTHORIZED', 'The key is malformed, unknown or revoked');
  if (isLimited && serviceConnections.countOfKey(key.id) >= limits.serviceConnections)
    throw tooMany(`At most ${limits.serviceConnections} connections per key`);
  if (isLimited) assertWithin(upgrades.ofAll());
  return key;
}

function register(
  owner: TokenClaims | ServiceKey,
  { address, device }: UpgradeRequest,
  { connections, serviceConnections }: UpgradeServices,
): Connection | ServiceConnection {
  return 'scopes' in owner
    ? serviceConnections.register(owner, address, device)
    : connections.register(owner, address, device);
}

function remove(
  connection: Connection | ServiceConnection,
  { connections, serviceConnections }: UpgradeServices,
): void {
  if (connection instanceof ServiceConnection) serviceConnections.remove(connection);
  else connections.remove(connection);
}

/** Admits a connection once nothing that is published is missed. Rejects where it was closed in the meantime. */
async function admit(connection: Connection | ServiceConnection, services: UpgradeServices): Promise<void> {
  await services.connections.settled(); // what is read then is followed by what is published
  assertNotClosed(connection, services);
  if (connection instanceof ServiceConnection) await admitService(connection, services);
  else await admitUser(connection, services);
  assertNotClosed(connection, services);
}

/** Subscribes a connection to all that its user receives. */
async function admitUser(connection: Connection, services: UpgradeServices): Promise<void> {
  const { connections, admission } = services;
  const { id, session } = connection;
  const state = await admission.load({ id, session });
  assertNotClosed(connection, services);
  if (!state) throw revoked();
  connection.sessionId = state.sessionId;
  await connections.subscribe(connection, state);
}

/** Looks again whether the key is valid, now that no revocation is missed, and notes its use. */
async function admitService({ key }: ServiceConnection, { keys }: UpgradeServices): Promise<void> {
  if (!(await keys.use(key.id))) throw revoked();
}

function openSocket(
  res: HttpResponse,
  context: us_socket_context_t,
  { key, extensions, protocol }: UpgradeRequest,
  connection: Connection | ServiceConnection,
  { corkHost }: UpgradeServices,
): void {
  const data: SocketData = { connection };
  const open = () => res.upgrade(data, key, protocol, extensions, context);
  corkHost.run(() => res.cork(open));
}

/** Throws if the connection was closed while its upgrade waited: by a stop, a signal, its expiry, or its client. */
function assertNotClosed({ state }: SocketConnection, { accepting }: UpgradeServices): void {
  if (!accepting()) throw stopping();
  if (state === 'closed') throw revoked();
}

function assertWithin(refusal: UpgradeRefusal | undefined): void {
  if (refusal) throw tooManyUpgrades(refusal);
}

function assertRoom({ connections, limits }: UpgradeServices, userId: UserId, network: string): void {
  const { connectionsPerUser, connectionsPerAddress } = limits;
  if (connections.countOfUser(userId) >= connectionsPerUser)
    throw tooMany(`At most ${connectionsPerUser} connections per user`);
  if (connections.countOfNetwork(network) >= connectionsPerAddress)
    throw tooMany(`At most ${connectionsPerAddress} connections per address`);
}

const stopping = () => new ApiError('UNAVAILABLE', 'The server is stopping', 1);

const revoked = () => new ApiError('UNAUTHORIZED', 'The token or key was revoked or has expired');

const tooMany = (message: string) => new LimitError('connections', 'RATE_LIMITED', message, 10);

/** The seconds to wait are random, so that clients that are refused together do not return together. */
const tooManyUpgrades = (of: UpgradeRefusal) =>
  new LimitError(
    'upgrades',
    of === 'all' ? 'UNAVAILABLE' : 'RATE_LIMITED',
    `Too many connections at once${of === 'all' ? '' : ` from this ${of}`}; retry in a moment`,
    1 + Math.floor(Math.random() * 5),
  );

function bug(error: unknown, log: Logger): ApiError {
  const requestId = randomUUID();
  log.error({ err: error, requestId }, 'upgrade failed');
  return internal(requestId);
}

function refuse(res: HttpResponse, error: unknown, { log, metrics }: UpgradeServices): void {
  const refusal = refusalOf(error);
  if (refusal) metrics.limitReached(refusal);
  metrics.upgradeDone(refusal?.code ?? 'INTERNAL');
  respondError(res, refusal ?? bug(error, log));
}
