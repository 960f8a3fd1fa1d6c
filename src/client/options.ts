import type { ParleyError } from './errors.ts';

/** The part of a WebSocket that the client uses. Those of the platform and of the package `ws` have it. */
export interface Socket {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(): void;
}

/** The options of a client. */
export interface ClientOptions {
  /** The server: `https://chat.example.com`, or `ws://localhost:3000/ws`. */
  readonly url: string;
  /**
   * A token, or a function that returns a fresh one. It is called for the first connection, and whenever the server has
   * refused the last token. If it rejects with a {@link ParleyError} other than `RATE_LIMITED` or `UNAVAILABLE`, the client
   * is closed with that error; after any other error the function is called again later.
   */
  readonly token: string | (() => string | Promise<string>);
  /** The name of this device in `listSessions`. */
  readonly device?: string;
  /** Opens a socket. The default is the WebSocket of the platform, with the token as a subprotocol. */
  readonly open?: (url: string, token: string) => Socket;
  /** Milliseconds of silence after which a ping is sent. After twice as many the connection is closed. Default: 15,000. */
  readonly heartbeat?: number;
}
