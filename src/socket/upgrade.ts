import type { HttpRequest, HttpResponse, us_socket_context_t } from 'uWebSockets.js';
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { bearerToken } from '../auth/authenticate.ts';
import type { Session } from '../auth/session.ts';
import type { Tokens } from '../auth/tokens.ts';
import { refusalOf } from '../database/failures.ts';
import { refuseUncertain, respondError } from '../http/response.ts';
import type { UserId } from '../ids.ts';
import type { Limits } from '../limits.ts';
import { type AddressOf, networkOf } from '../net/address.ts';
import type { CorkHost } from '../net/corkHost.ts';
import { framingOf } from '../net/framing.ts';
import type { Guard } from '../net/guard.ts';
import { readHeaders } from '../net/headers.ts';
import type { Metrics } from '../observability/metrics.ts';
import { CloseCode } from '../protocol/closeCodes.ts';
import { ApiError, internal, LimitError } from '../protocol/errors.ts';
import type { Admission } from './admission.ts';
import type { Connection, SocketData } from './Connection.ts';
import type { Connections } from './Connections.ts';
import type { UpgradeRefusal } from './rateLimits.ts';

/** The subprotocol a browser names to pass its token, since it cannot set headers. */
const PROTOCOL = 'auth';

export interface UpgradeServices {
  readonly tokens: Tokens;
  readonly connections: Connections;
  readonly addressOf: AddressOf;
  readonly limits: Limits;
  readonly isLimited: boolean;
  /** Lets so many in a second. */
  readonly upgrades: (userId: UserId, network: string) => UpgradeRefusal | undefined;
  readonly admission: Admission;
  readonly accepting: () => boolean;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly guard: Guard;
  readonly corkHost: CorkHost;
  /** The socket is open. */
  readonly opened: (connection: Connection) => void;
}

/** Answers an upgrade: with a socket for a valid token, with 401 otherwise. */
export async function upgrade(
  res: HttpResponse,
  req: HttpRequest,
  context: us_socket_context_t,
  services: UpgradeServices,
): Promise<void> {
  let connection: Connection | undefined;
  let aborted = false;
  const gone = () => {
    aborted = true;
    if (connection) services.connections.remove(connection);
  };
  res.onAborted(services.guard('upgrade abort', gone));

  // The request is only valid before the first await.
  const headers = readHeaders(req);
  if (framingOf(headers) !== 'certain') {
    services.metrics.upgradeDone('BAD_REQUEST');
    return refuseUncertain(res);
  }
  const protocols = headers.get('sec-websocket-protocol');
  const key = headers.get('sec-websocket-key');
  const extensions = headers.get('sec-websocket-extensions');
  const token = tokenOf(headers.get('authorization'), protocols, req.getQuery('token'));
  const address = services.addressOf(res, headers);
  const device = deviceOf(req.getQuery('device') ?? headers.get('user-agent'));

  try {
    if (!services.accepting()) throw new ApiError('UNAVAILABLE', 'The server is stopping', 1);
    const session = services.tokens.verify(token);
    if (!session)
      throw new ApiError('UNAUTHORIZED', 'The token is missing, malformed, expired or wrongly signed');
    if (services.isLimited) {
      assertRoom(services, session, address);
      const refusal = services.upgrades(session.userId, networkOf(address));
      if (refusal) throw tooManyUpgrades(refusal);
    }

    const expected = services.connections.register(session, address, device);
    connection = expected;
    await services.connections.settled(); // what is read then is followed by what is published
    if (aborted) return;
    const state = await services.admission.load({ id: expected.id, session });
    if (aborted) return;
    if (!services.accepting()) throw new ApiError('UNAVAILABLE', 'The server is stopping', 1);
    if (!state || expected.ended) throw new ApiError('UNAUTHORIZED', 'The token was revoked or has expired');

    expected.sessionId = state.sessionId;
    await services.connections.subscribe(expected, state);
    if (aborted) return;
    if (expected.ended) throw new ApiError('UNAUTHORIZED', 'The token was revoked or has expired');
    const admission: SocketData = { connection: expected };
    const open = () => res.upgrade(admission, key, protocolAnswer(protocols), extensions, context);
    services.corkHost.run(() => res.cork(open));
    services.opened(expected);
    services.metrics.upgradeDone('ok');
  } catch (error) {
    if (connection?.socket) {
      bug(error, services.log);
      return connection.close(CloseCode.InternalError, 'The server failed'); // its close handler forgets it
    }
    if (connection) services.connections.remove(connection);
    if (!aborted) refuse(res, error, services);
  }
}

/** The token from the first place where one is present; empty when there is none. */
function tokenOf(authorization: string, protocols: string, query: string | undefined): string {
  if (authorization) return bearerToken(authorization) ?? '';
  const [first, second] = protocols.split(',').map((protocol) => protocol.trim());
  if (first === PROTOCOL) return second ?? '';
  return query ?? '';
}

/** Only the name of the protocol is echoed, never the token beside it. */
function protocolAnswer(protocols: string): string {
  return protocols.split(',')[0]?.trim() === PROTOCOL ? PROTOCOL : '';
}

function assertRoom({ connections, limits }: UpgradeServices, { userId }: Session, address: string): void {
  const { connectionsPerUser, connectionsPerAddress } = limits;
  if (connections.countOfUser(userId) >= connectionsPerUser)
    throw tooMany(`At most ${connectionsPerUser} connections per user`);
  if (connections.countOfNetwork(networkOf(address)) >= connectionsPerAddress)
    throw tooMany(`At most ${connectionsPerAddress} connections per address`);
}

const tooMany = (message: string) => new LimitError('connections', 'RATE_LIMITED', message, 10);

/** Come back after some seconds, spread by chance: who is sent away together must not come back together. */
const tooManyUpgrades = (of: UpgradeRefusal) =>
  new LimitError(
    'upgrades',
    of === 'all' ? 'UNAVAILABLE' : 'RATE_LIMITED',
    `Too many connect at once${of === 'all' ? '' : ` from this ${of}`}; come back in a moment`,
    1 + Math.floor(Math.random() * 5),
  );

/** Characters of a device name that are kept. */
const DEVICE_LENGTH = 100;

/** What a client calls its device, without control characters; null when it says nothing. */
function deviceOf(name: string): string | null {
  return name.toWellFormed().replaceAll(/\p{C}/gu, ' ').trim().slice(0, DEVICE_LENGTH).toWellFormed() || null;
}

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
