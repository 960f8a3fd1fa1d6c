const MIB = 1024 * 1024;

/**
 * Limits on the resources that clients can use: the default, and the minimum and maximum of the environment variable of
 * the same name (such as COMMAND_BURST). `RATE_LIMITS=off` lifts those on rates and numbers of connections; those on
 * sizes and queues stay.
 */
const definitions = {
  /**
   * Token bucket of the commands of one connection: its capacity and its refill per second. Heavier commands cost
   * several tokens.
   */
  commandBurst: [2_000, 1, 1_000_000],
  commandsPerSecond: [200, 1, 1_000_000],
  /** Token bucket of the commands of all connections of a user on one node. */
  userCommandBurst: [8_000, 1, 1_000_000],
  userCommandsPerSecond: [800, 1, 1_000_000],
  /** The same of the commands of all connections of an API key on one node. They count against no user. */
  serviceCommandBurst: [20_000, 1, 1_000_000],
  serviceCommandsPerSecond: [2_000, 1, 1_000_000],
  /** Connections of an API key to one node. */
  serviceConnections: [100, 1, 1_000_000],
  connectionsPerUser: [100, 1, 1_000_000],
  connectionsPerAddress: [10_000, 1, 10_000_000],
  /** Connections accepted per second: in total, and before they count there, per user and per address. */
  upgradesPerSecond: [1_000, 1, 1_000_000],
  userUpgradesPerSecond: [100, 1, 1_000_000],
  addressUpgradesPerSecond: [500, 1, 1_000_000],

  /** Bytes of a frame. By default the longest valid message fits even with every character escaped. */
  frameBytes: [64 * 1024, 1024, 1024 * 1024],
  /** Bytes of pushes, beside one reply, that may be buffered for a slow client before its connection is closed. */
  sendBufferBytes: [2 * MIB, 64 * 1024, 1024 * MIB],
  /** Bytes that may be buffered for all clients of a node together before the connections of the slowest are closed. */
  sendBuffersBytes: [512 * MIB, MIB, 1024 * 1024 * MIB],
  /** Unanswered frames of one connection above which it is closed. */
  unansweredPerConnection: [50_000, 1, 10_000_000],
  /** The same in bytes of memory. */
  unansweredBytesPerConnection: [16 * MIB, 64 * 1024, 1024 * MIB],
  /**
   * Bytes of the unanswered frames of all connections of a node, not counting the first 16 KiB of each connection,
   * above which further frames are answered `UNAVAILABLE`.
   */
  unansweredBytes: [256 * MIB, MIB, 1024 * 1024 * MIB],
  /** Queued messages and changes of a node above which further ones are answered `UNAVAILABLE`. */
  queueLength: [20_000, 1, 10_000_000],
  /** The same in bytes of memory. */
  queueBytes: [64 * MIB, 64 * 1024, 1024 * 1024 * MIB],
  /** Seconds without any traffic, pongs included, after which a socket is closed. */
  idleSeconds: [60, 8, 900],

  groupsPerUser: [2_000, 1, 1_000_000],
  membersPerGroup: [10_000, 2, 1_000_000],

  /** Failed logins and wrong current passwords per window: from one address for one account, and from one address. */
  loginFailuresPerAccount: [20, 1, 1_000_000],
  loginFailuresPerAddress: [200, 1, 1_000_000],
  loginWindowSeconds: [15 * 60, 1, 86_400],
  /** Accounts that one address may register per hour. */
  registrationsPerAddress: [1_000, 1, 1_000_000],
  /** Changes of the username per user and hour; each is pushed to everybody who shares a chat with the user. */
  renamesPerUser: [30, 1, 1_000_000],
} as const satisfies Record<string, readonly [fallback: number, min: number, max: number]>;

type Name = keyof typeof definitions;

export type Limits = Readonly<Record<Name, number>>;

/** Returns the environment variable of a setting: COMMAND_BURST for commandBurst. */
export const variableOf = (name: string): string => name.replaceAll(/[A-Z]/g, '_$&').toUpperCase();

/** Reads the limits; `read` returns the value of a variable. */
export function readLimits(
  read: (variable: string, fallback: number, min: number, max: number) => number,
): Limits {
  const entries = Object.entries(definitions);
  return Object.fromEntries(
    entries.map(([name, [fallback, min, max]]) => [name, read(variableOf(name), fallback, min, max)]),
  ) as Limits;
}

export const defaultLimits: Limits = readLimits((_, fallback) => fallback);

/**
 * Bytes of a frame that the socket library still receives, so that the server can close with 1009. At larger frames the
 * library drops the connection.
 */
export const FRAME_BYTES_RECEIVED = 4 * MIB;

/** Bytes of the rows of one page; the list continues with its cursor. A page takes less than ten seconds at 64 kB/s. */
export const PAGE_BYTES = 512 * 1024;

/**
 * Bytes of a reply without its id: 100 of the largest rows of a history, because pages by number cannot end early. Such
 * a row has 40 KiB: 4,000 characters that JSON escapes with six bytes each, 4 KiB of custom data, 50 different
 * reactions.
 */
export const REPLY_BYTES = 4 * MIB;

/** Buffered bytes of a client above which its read commands wait until it has received them. */
export const HOLD_BYTES = 256 * 1024;

/** Bytes of the headers of an HTTP request. The library accepts at most 99 lines. */
export const HEADER_BYTES = 16 * 1024;

/** Bytes of an HTTP body. The longest valid one fits even with every character escaped. */
export const BODY_BYTES = 64 * 1024;

/**
 * Bytes of the HTTP bodies of unanswered requests of a node above which further requests are answered `UNAVAILABLE`.
 */
export const BODIES_BYTES = 64 * MIB;
