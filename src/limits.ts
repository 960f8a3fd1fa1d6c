const MIB = 1024 * 1024;

/**
 * Bounds on what one client, or a flood of them, can take: its default, and the least and the most that the
 * environment variable of its name (COMMAND_BURST and so on) may set it to. Those on rates and numbers of connections are lifted by
 * `RATE_LIMITS=off`; sizes and queues stay.
 */
const definitions = {
  /** Commands of one connection: so many at once, refilled at so many a second. Heavier commands count as several. */
  commandBurst: [2_000, 1, 1_000_000],
  commandsPerSecond: [200, 1, 1_000_000],
  /** The same for all connections of a user on one node together. */
  userCommandBurst: [8_000, 1, 1_000_000],
  userCommandsPerSecond: [800, 1, 1_000_000],
  connectionsPerUser: [100, 1, 1_000_000],
  connectionsPerAddress: [10_000, 1, 10_000_000],
  /** Connections that are let in per second: of all, and before they count there, of one user and of one address. */
  upgradesPerSecond: [1_000, 1, 1_000_000],
  userUpgradesPerSecond: [100, 1, 1_000_000],
  addressUpgradesPerSecond: [500, 1, 1_000_000],

  /** Bytes of a frame: by default the longest legal message fits in with every character escaped. */
  frameBytes: [64 * 1024, 1024, 1024 * 1024],
  /** Bytes of pushes that may wait, beside one reply, for a client that reads slowly before it is dropped. */
  sendBufferBytes: [2 * MIB, 64 * 1024, 1024 * MIB],
  /** Bytes that may wait for all clients of a node together before the slowest are dropped. */
  sendBuffersBytes: [512 * MIB, MIB, 1024 * 1024 * MIB],
  /** Frames of one connection that wait for their answer before the connection is closed. */
  unansweredPerConnection: [50_000, 1, 10_000_000],
  /** The same in bytes of memory. */
  unansweredBytesPerConnection: [16 * MIB, 64 * 1024, 1024 * MIB],
  /**
   * Bytes of the unanswered frames of all connections of a node, beyond the 16 KiB that each has for itself, before more
   * are answered `UNAVAILABLE`.
   */
  unansweredBytes: [256 * MIB, MIB, 1024 * 1024 * MIB],
  /** Messages and changes of a node that wait to be written before more are answered `UNAVAILABLE`. */
  queueLength: [20_000, 1, 10_000_000],
  /** The same in bytes of memory. */
  queueBytes: [64 * MIB, 64 * 1024, 1024 * 1024 * MIB],
  /** Seconds without any traffic, pongs included, after which a socket is closed. */
  idleSeconds: [60, 8, 900],

  groupsPerUser: [2_000, 1, 1_000_000],
  membersPerGroup: [10_000, 2, 1_000_000],

  /** Failed logins and wrong current passwords in a window: by one address on one account, and by one address. */
  loginFailuresPerAccount: [20, 1, 1_000_000],
  loginFailuresPerAddress: [200, 1, 1_000_000],
  loginWindowSeconds: [15 * 60, 1, 86_400],
  /** Accounts that one address may make in an hour. */
  registrationsPerAddress: [1_000, 1, 1_000_000],
  /** Times that a user may change the username in an hour: everybody who shares a chat with them is told. */
  renamesPerUser: [30, 1, 1_000_000],
} as const satisfies Record<string, readonly [fallback: number, min: number, max: number]>;

type Name = keyof typeof definitions;

export type Limits = Readonly<Record<Name, number>>;

/** The name of the environment variable that sets something: COMMAND_BURST for commandBurst. */
export const variableOf = (name: string): string => name.replaceAll(/[A-Z]/g, '_$&').toUpperCase();

/** The limits, each as `read` finds it set. */
export function readLimits(
  read: (variable: string, fallback: number, min: number, max: number) => number,
): Limits {
  const entries = Object.entries(definitions);
  return Object.fromEntries(
    entries.map(([name, [fallback, min, max]]) => [name, read(variableOf(name), fallback, min, max)]),
  ) as Limits;
}

export const defaultLimits: Limits = readLimits((_, fallback) => fallback);

/** Bytes of a frame the socket library still takes in, to close with 1009; beyond, it cuts the connection. */
export const FRAME_BYTES_RECEIVED = 4 * MIB;

/**
 * Bytes of the rows of one page. A list stops there and goes on with its cursor: a page takes less than ten seconds on
 * a line of 64 kB/s.
 */
export const PAGE_BYTES = 512 * 1024;

/**
 * Bytes of a reply without its id: 100 of the largest rows of a history (40 KiB: 4,000 characters that JSON escapes
 * with six bytes each, 4 KiB of custom data, 50 different reactions), for pages by number cannot stop early.
 */
export const REPLY_BYTES = 4 * MIB;

/** Bytes that wait for a client before it is answered no further command that reads, until it has taken them in. */
export const HOLD_BYTES = 256 * 1024;

/** Bytes of the head of an HTTP request, of which the library takes in at most 99 lines. */
export const HEADER_BYTES = 16 * 1024;

/** Bytes of an HTTP body: the longest legal one fits in with every character escaped. */
export const BODY_BYTES = 64 * 1024;

/** Bytes of all HTTP bodies that a node has taken in and not answered, before more are answered `UNAVAILABLE`. */
export const BODIES_BYTES = 64 * MIB;
