/**
 * Bounds on what one client, or a flood of them, can take. Those on rates and numbers of connections are
 * lifted by `RATE_LIMITS=off`; sizes and queues stay.
 */
export const limits = {
  /** Bytes of a frame: the longest legal message with every character escaped fits in. */
  frameBytes: 64 * 1024,
  /** Bytes of a frame the socket library still takes in, to close with 1009; beyond, it cuts the connection. */
  frameBytesReceived: 4 * 1024 * 1024,
  /** Bytes that may wait for a socket whose client reads slowly before it is dropped: two of the largest pages. */
  sendBufferBytes: 4 * 1024 * 1024,
  /** Seconds without any traffic, pongs included, after which a socket is closed. */
  idleSeconds: 60,
  /** Bytes of an HTTP body. */
  bodyBytes: 64 * 1024,
  /** Frames of one connection that wait for their answer before the connection is closed. */
  unansweredPerConnection: 50_000,

  commandBurst: 2_000,
  commandsPerSecond: 200,
  connectionsPerUser: 100,
  connectionsPerAddress: 10_000,

  /** Failed logins and wrong current passwords, per window. */
  loginFailuresPerAccount: 20,
  loginFailuresPerAddress: 200,
  loginWindowSeconds: 15 * 60,
  registrationsPerAddress: 1_000,
  registrationWindowSeconds: 60 * 60,
} as const;
