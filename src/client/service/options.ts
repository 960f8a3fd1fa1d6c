import type { ParleyError } from '../errors.ts';

/** The options of a service. */
export interface ServiceOptions {
  /** The server: `https://chat.example.com`, or `ws://localhost:3000/ws`. */
  readonly url: string;
  /**
   * An API key, or a function that returns the present one. It is called for the first connection, and whenever the server
   * has refused the last key. If it rejects with a {@link ParleyError} other than `RATE_LIMITED` or `UNAVAILABLE`, the service
   * is closed with that error; after any other error the function is called again later.
   */
  readonly key: string | (() => string | Promise<string>);
  /** Milliseconds of silence after which a ping is sent. After twice as many the connection is closed. Default: 15,000. */
  readonly heartbeat?: number;
}
