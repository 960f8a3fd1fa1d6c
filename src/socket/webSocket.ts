import type { TemplatedApp, WebSocketBehavior } from 'uWebSockets.js';
import { isTransient } from '../database/failures.ts';
import { respondError } from '../http/response.ts';
import { FRAME_BYTES_RECEIVED, HOLD_BYTES, REPLY_BYTES } from '../limits.ts';
import { createGuard } from '../net/guard.ts';
import { uWS } from '../net/uws.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { PresenceChanges } from '../presence/PresenceChanges.ts';
import { CloseCode } from '../protocol/closeCodes.ts';
import type { SessionLog } from '../sessions/SessionLog.ts';
import type { Connection } from './Connection.ts';
import type { Dispatcher } from './dispatcher.ts';
import { ServiceConnection } from './ServiceConnection.ts';
import type { ConnectedSocket, SocketData } from './SocketData.ts';
import { type UpgradeServices, upgrade } from './upgrade.ts';

/** Adds a callback of the socket library that its types do not know: for a message that it had to drop. */
interface Behavior extends WebSocketBehavior<SocketData> {
  dropped(socket: ConnectedSocket): void;
}

export type WebSocketServices = Omit<UpgradeServices, 'opened' | 'metrics' | 'guard'> & {
  readonly sessions: SessionLog;
  readonly presenceChanges: PresenceChanges;
};

/** Paths to which clients connect. */
const PATHS = ['/', '/ws'];

/** Returns a function that mounts the WebSocket on an app: it authenticates upgrades and hands frames to the dispatcher. */
export function createWebSocketRoutes(
  services: WebSocketServices,
  dispatcher: Dispatcher,
  metrics: Metrics,
): (app: TemplatedApp) => void {
  const { limits, log } = services;
  const guard = createGuard(log);
  const upgradeServices = {
    ...services,
    ...{
      metrics,
      guard,
      opened: (connection: Connection | ServiceConnection) => connectionOpened(services, connection),
    },
  };
  const behavior: Behavior = {
    compression: uWS.DISABLED,
    maxPayloadLength: FRAME_BYTES_RECEIVED,
    // Looked at before a frame is added: the largest reply never ends a connection that is not behind with others.
    maxBackpressure: limits.sendBufferBytes + HOLD_BYTES + REPLY_BYTES + limits.frameBytes,
    closeOnBackpressureLimit: 1,
    idleTimeout: limits.idleSeconds,
    sendPingsAutomatically: true,

    upgrade: guard(
      'upgrade',
      (res, req, context) => upgrade(res, req, context, upgradeServices),
      (refusal, res) => respondError(res, refusal),
    ),

    open: guard('socket open', (socket) => socket.getUserData().connection.open(socket), endFailed),

    message: guard('socket message', receive, endFailed),

    drain: guard('socket drain', (socket) => {
      socket.getUserData().connection.receiver?.onDrain();
    }),

    dropped: guard('socket dropped', (socket) => {
      const { connection } = socket.getUserData();
      if (connection.state === 'closed') return;
      connection.dropped();
      metrics.slowConsumerDropped();
      log.warn({ connection: connection.id, ...connection.owner }, 'slow consumer dropped');
    }),

    close: guard('socket close', (socket, code) => {
      connectionClosed(services, socket.getUserData().connection, code);
      metrics.connectionClosed(code);
    }),
  };
  return (app) => {
    for (const path of PATHS) app.ws(path, behavior);
  };

  function receive(socket: ConnectedSocket, message: ArrayBuffer, isBinary: boolean): void {
    const { connection } = socket.getUserData();
    if (message.byteLength > limits.frameBytes) {
      metrics.limited('frame');
      return connection.close(CloseCode.TooBig, `A frame has at most ${limits.frameBytes} bytes`);
    }
    connection.receiver ??= dispatcher(connection);
    if (isBinary) connection.receiver.onBinary();
    else connection.receiver.onFrame(Buffer.from(message).toString());
  }
}

/** Ends a connection after a fault, whatever state it is in: its client connects again. */
function endFailed(_: unknown, socket: ConnectedSocket): void {
  socket.end(CloseCode.InternalError, 'The server failed');
}

function connectionOpened(services: WebSocketServices, connection: Connection | ServiceConnection): void {
  const { connections, sessions, presenceChanges, log } = services;
  const { id, address, device, owner } = connection;
  if (connection instanceof ServiceConnection)
    return log.debug({ connection: id, ...owner, address, device }, 'service connection opened');
  connections.attach(connection);
  if (connection.socket) {
    sessions.opened(connection);
    presenceChanges.connected(connection).catch((error) => {
      if (!isTransient(error)) log.error({ err: error }, 'failed to publish presence'); // an outage is logged once
    });
  }
  const { sessionId } = connection;
  log.debug({ connection: id, sessionId, ...owner, address, device }, 'connection opened');
}

function connectionClosed(
  { connections, serviceConnections, sessions, presenceChanges, log }: WebSocketServices,
  connection: Connection | ServiceConnection,
  code: number,
): void {
  const isService = connection instanceof ServiceConnection;
  if (isService) serviceConnections.remove(connection);
  else connections.remove(connection);
  connection.receiver?.onDisconnect();
  if (!isService && sessions.closed(connection)) presenceChanges.disconnected(connection);
  log.debug({ connection: connection.id, code }, 'connection closed');
}
