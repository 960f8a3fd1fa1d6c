/** A connection to NATS that is made again whenever it breaks. */
export interface NatsLink {
  readonly isUp: boolean;
  /** Bytes that were published over this connection and are not confirmed. */
  readonly inFlight: number;
  /** Bytes that were published since the last flush began. */
  readonly unflushed: number;
  /**
   * Publishes over the current connection. Returns false where nothing was published: the connection is down, or the
   * payload is larger than NATS takes.
   */
  publish(subject: string, payload: Uint8Array | string): boolean;
  /** Receives from a subject over this and every later connection. Returns a function that ends it. */
  subscribe(subject: string, receive: (payload: Buffer) => void): () => void;
  /**
   * Resolves to true once NATS has everything that was published and subscribed to before; to false when the
   * connection breaks before that.
   */
  flush(): Promise<boolean>;
  /** Sends what was published, for a few seconds at most, and closes the connection. */
  close(): Promise<void>;
}

/** Callbacks to the owner of a link. */
export interface LinkEvents {
  readonly connected: () => void;
  /** Publications that were not confirmed may be lost. */
  readonly disconnected: () => void;
}
