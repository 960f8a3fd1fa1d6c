import type { HttpRequest, HttpResponse, us_socket_context_t } from 'uWebSockets.js';
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { TokenClaims, VerifyToken } from '../auth/tokens.ts';
import { refusalOf } from '../database/failures.ts';
import { refuseUncertain, respondError } from '../http/response.ts';
import type { UserId } from '../ids.ts';
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
import type { Connection, SocketData } from './Connection.ts';
import type { Connections } from './Connections.ts';
import type { UpgradeRefusal } from './rateLimits.ts';
import { readUpgradeRequest, type UpgradeRequest } from './upgradeRequest.ts';

export interface UpgradeServices {
  readonly verifyToken: VerifyToken;
  readonly connections: Connections;
  readonly addressOf: AddressOf;
  readonly limits: Limits;
  readonly isLimited: boolean;
  /** Takes an upgrade from the rate limiters; returns which of them refuses it, if one does. */
  readonly upgrades: (userId: UserId, network: string) => UpgradeRefusal | undefined;
  readonly admission: Admission;
  readonly accepting: () => boolean;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly guard: Guard;
  readonly corkHost: CorkHost;
  /** Called when the socket is open. */
  readonly opened: (connection: Connection) => void;
}

/** Answers an upgrade: with a socket for a valid token, with 401 otherwise. */
export async function upgrade(
  res: HttpResponse,
  req: HttpRequest,
  context: us_socket_context_t,
  services: UpgradeServices,
): Promise<void> {
  const { connections, metrics } = services;
  let connection: Connection | undefined;
  let isAborted = false;
  const abort = () => {
    isAborted = true;
    if (connection) connections.remove(connection);
  };
  res.onAborted(services.guard('upgrade abort', abort));

  const headers = readHeaders(req);
  if (framingOf(headers) !== 'certain') {
    metrics.upgradeDone('BAD_REQUEST');
    return refuseUncertain(res);
  }
  const request = readUpgradeRequest(res, req, headers, services.addressOf);
  try {
    const session = await authorize(request, services);
    if (isAborted) return;
    connection = connections.register(session, request.address, request.device);
    await admit(connection, services);
    openSocket(res, context, request, connection, services);
    services.opened(connection);
    metrics.upgradeDone('ok');
  } catch (error) {
    if (connection?.socket) {
      bug(error, services.log);
      return connection.close(CloseCode.InternalError, 'The server failed'); // its close handler removes it
    }
    if (connection) connections.remove(connection);
    if (!isAborted) refuse(res, error, services);
  }
}

/** Returns the session of the token; throws where it is not valid, or a limit is reached. */
async function authorize(
  { token, address }: UpgradeRequest,
  services: UpgradeServices,
): Promise<TokenClaims> {
  if (!services.accepting()) throw stopping();
  const session = await services.verifyToken(token);
  if (!session)
    throw new ApiError('UNAUTHORIZED', 'The token is missing, malformed, expired or wrongly signed');
  if (!services.isLimited) return session;
  const network = networkOf(address);
  assertRoom(services, session.userId, network);
  const refusal = services.upgrades(session.userId, network);
  if (refusal) throw tooManyUpgrades(refusal);
  return session;
}

/** Subscribes a connection to all that its user receives. Rejects where it was closed in the meantime. */
async function admit(connection: Connection, services: UpgradeServices): Promise<void> {
  const { connections, admission } = services;
  const { id, session } = connection;
  await connections.settled(); // what is read then is followed by what is published
  assertNotClosed(connection, services);
  const state = await admission.load({ id, session });
  assertNotClosed(connection, services);
  if (!state) throw revoked();
  connection.sessionId = state.sessionId;
  await connections.subscribe(connection, state);
  assertNotClosed(connection, services);
}

function openSocket(
  res: HttpResponse,
  context: us_socket_context_t,
  { key, extensions, protocol }: UpgradeRequest,
  connection: Connection,
  { corkHost }: UpgradeServices,
): void {
  const data: SocketData = { connection };
  const open = () => res.upgrade(data, key, protocol, extensions, context);
  corkHost.run(() => res.cork(open));
}

/** Throws if the connection was closed while its upgrade waited: by a stop, a signal, its expiry, or its client. */
function assertNotClosed({ state }: Connection, { accepting }: UpgradeServices): void {
  if (!accepting()) throw stopping();
  if (state === 'closed') throw revoked();
}

function assertRoom({ connections, limits }: UpgradeServices, userId: UserId, network: string): void {
  const { connectionsPerUser, connectionsPerAddress } = limits;
  if (connections.countOfUser(userId) >= connectionsPerUser)
    throw tooMany(`At most ${connectionsPerUser} connections per user`);
  if (connections.countOfNetwork(network) >= connectionsPerAddress)
    throw tooMany(`At most ${connectionsPerAddress} connections per address`);
}

const stopping = () => new ApiError('UNAVAILABLE', 'The server is stopping', 1);

const revoked = () => new ApiError('UNAUTHORIZED', 'The token was revoked or has expired');

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
