import type { WebSocket } from 'uWebSockets.js';
import type { Connection } from './Connection.ts';
import type { ServiceConnection } from './ServiceConnection.ts';

/** User data of a native socket, passed from its upgrade. */
export interface SocketData {
  readonly connection: Connection | ServiceConnection;
}

/** A native socket with its connection. */
export type ConnectedSocket = WebSocket<SocketData>;
