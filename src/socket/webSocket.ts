import type { TemplatedApp, WebSocketBehavior } from 'uWebSockets.js';
import { isTransient } from '../database/failures.ts';
import { respondError } from '../http/response.ts';
import { FRAME_BYTES_RECEIVED, HOLD_BYTES, REPLY_BYTES } from '../limits.ts';
import { createGuard } from '../net/guard.ts';
import { uWS } from '../net/uws.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Presence } from '../presence/Presence.ts';
import { CloseCode } from '../protocol/closeCodes.ts';
import type { SessionLog } from '../sessions/SessionLog.ts';
import type { Connection, Socket, SocketData } from './Connection.ts';
import type { Dispatcher } from './dispatcher.ts';
import { type UpgradeServices, upgrade } from './upgrade.ts';

/** What the socket library knows of a message it had to drop, and its types do not. */
interface Behavior extends WebSocketBehavior<SocketData> {
  dropped(socket: Socket): void;
}

/** Where clients connect. */
const PATHS = ['/', '/ws'];

/** What puts the WebSocket on an app: it authenticates upgrades and hands frames to the dispatcher. */
export function createWebSocketRoutes(
  services: Omit<UpgradeServices, 'opened' | 'metrics' | 'guard'> & {
    readonly sessions: SessionLog;
    readonly presence: Presence;
  },
  dispatcher: Dispatcher,
  metrics: Metrics,
): (app: TemplatedApp) => void {
  const { connections, sessions, presence, limits, log } = services;
  const guard = createGuard(log);

  /** What state the connection is in after a fault is not worth finding out: its client connects again. */
  function closeFailed(_: unknown, socket: Socket): void {
    socket.end(CloseCode.InternalError, 'The server failed');
  }

  function opened(connection: Connection): void {
    connections.attach(connection);
    if (connection.socket) {
      sessions.opened(connection);
      presence.connected(connection).catch((error) => {
        if (!isTransient(error)) log.error({ err: error }, 'arrival not told'); // an outage has its line
      });
    }
    const { id, sessionId, session, address, device } = connection;
    log.debug({ connection: id, sessionId, userId: session.userId, address, device }, 'connection opened');
  }

  function receive(socket: Socket, message: ArrayBuffer, isBinary: boolean): void {
    const { connection } = socket.getUserData();
    if (message.byteLength > limits.frameBytes) {
      metrics.limited('frame');
      return connection.close(CloseCode.TooBig, `A frame has at most ${limits.frameBytes} bytes`);
    }
    connection.receiver ??= dispatcher(connection);
    if (isBinary) connection.receiver.onBinary();
    else connection.receiver.onFrame(Buffer.from(message).toString());
  }

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
      (res, req, context) => upgrade(res, req, context, { ...services, metrics, opened, guard }),
      (refusal, res) => respondError(res, refusal),
    ),

    open: guard('socket open', (socket) => {
      socket.getUserData().connection.socket = socket;
    }),

    message: guard('socket message', receive, closeFailed),

    drain: guard('socket drain', (socket) => {
      socket.getUserData().connection.receiver?.onDrain();
    }),

    dropped: guard('socket dropped', (socket) => {
      const { connection } = socket.getUserData();
      if (connection.ended) return;
      connection.ended = true;
      connection.receiver?.stop();
      metrics.slowConsumerDropped();
      log.warn({ connection: connection.id, userId: connection.session.userId }, 'dropping a slow consumer');
    }),

    close: guard('socket close', (socket, code) => {
      const { connection } = socket.getUserData();
      connections.remove(connection);
      connection.receiver?.onDisconnect();
      sessions.closed(connection);
      presence.disconnected(connection);
      metrics.connectionClosed(code);
      log.debug({ connection: connection.id, code }, 'connection closed');
    }),
  };
  return (app) => {
    for (const path of PATHS) app.ws(path, behavior);
  };
}
