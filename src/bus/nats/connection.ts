import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, credsAuthenticator, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { createGuard } from '../../net/guard.ts';
import { StartError } from '../../protocol/errors.ts';

export interface NatsOptions {
  /** `nats://` or `tls://`, with user and password where they are wanted. */
  readonly servers: readonly string[];
  /** A file with credentials (JWT and seed), as `nsc` makes it. */
  readonly credentials?: string | undefined;
  /** A file with the certificate authorities to trust instead of the system's. */
  readonly authorities?: string | undefined;
}

/** A connection to NATS that is made again whenever it breaks. */
export interface NatsLink {
  readonly isUp: boolean;
  /** Bytes that were published over this connection and are not confirmed. */
  readonly inFlight: number;
  /** Bytes that were published since the last flush was begun. */
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

/** Milliseconds between two attempts to come back. */
const RECONNECT_WAIT = 250;
/** Milliseconds for an attempt. */
const CONNECT_TIMEOUT = 3_000;
/**
 * Milliseconds without another attempt after which the library is not relied on any more: when a connection breaks in
 * the middle of its handshake, two attempts of nats.js 3.4 get into each other's way and both stand still.
 */
const ATTEMPT_PATIENCE = 4_000;
/** Milliseconds between two pings; two without an answer, and the connection is dead. */
const PING_INTERVAL = 3_000;
/** Bytes that may wait to be confirmed; beyond, NATS or the network has stalled and the connection is replaced. */
const MAX_IN_FLIGHT_BYTES = 32 * 1024 * 1024;
/** Milliseconds to send what is left on `close`. */
const CLOSE_PATIENCE = 5_000;

interface Subscribed {
  readonly receive: (payload: Buffer) => void;
  subscription: Subscription | undefined;
}

/** Connects in the background, again and again until it succeeds: a node serves its own connections without NATS. */
export async function openNatsLink(
  { servers, credentials, authorities }: NatsOptions,
  log: Logger,
  events: LinkEvents,
): Promise<NatsLink> {
  const options = await connectOptions();
  const subscribed = new Map<string, Subscribed>();
  /** Flushes that are under way: told when the connection breaks. */
  const flushes = new Set<(isConfirmed: boolean) => void>();
  const guard = createGuard(log);
  let connection: NatsConnection | undefined;
  let isUp = false;
  /** When the connection broke; undefined before there was one. */
  let downSince: number | undefined;
  let isClosed = false;
  let watchdog: NodeJS.Timeout | undefined;
  /** Bytes over the current connection. */
  let published = 0;
  let flushed = 0;
  let confirmed = 0;

  connectInBackground();

  return {
    get isUp() {
      return isUp;
    },
    get inFlight() {
      return published - confirmed;
    },
    get unflushed() {
      return published - flushed;
    },
    publish(subject, payload) {
      if (!isUp || !connection) return false;
      try {
        connection.publish(subject, payload);
      } catch (error) {
        log.error(
          { err: error, subject, bytes: payload.length, maxPayload: connection.info?.max_payload },
          'NATS refused a publication',
        );
        return false;
      }
      published += payload.length;
      if (published - confirmed > MAX_IN_FLIGHT_BYTES) replace('NATS does not take what is published');
      return true;
    },
    subscribe(subject, receive) {
      const one: Subscribed = { receive, subscription: undefined };
      subscribed.set(subject, one);
      listen(subject, one);
      return () => {
        one.subscription?.unsubscribe();
        if (subscribed.get(subject) === one) subscribed.delete(subject);
      };
    },
    flush,
    async close() {
      isClosed = true;
      clearTimeout(watchdog);
      const draining = isUp ? connection?.drain() : undefined;
      isUp = false;
      await Promise.race([draining, delay(CLOSE_PATIENCE, undefined, { ref: false })]).catch(() => {});
      await connection?.close();
    },
  };

  function connectInBackground(): void {
    open().catch((error) => log.error({ err: error }, 'the connection to NATS failed'));
  }

  async function open(): Promise<void> {
    log.info({ servers: servers.map(withoutPassword) }, 'connecting to NATS');
    let opened: NatsConnection | undefined;
    for (let attempt = 1; !opened; attempt++) {
      try {
        opened = await connect(options);
      } catch (error) {
        // One line, however long it takes.
        log[attempt === 1 && downSince === undefined ? 'warn' : 'debug'](
          { err: error },
          'NATS does not answer; this node serves its own connections meanwhile',
        );
        await delay(RECONNECT_WAIT * 4, undefined, { ref: false });
      }
      if (isClosed) return opened?.close();
    }
    connection = opened;
    for (const [subject, one] of subscribed) listen(subject, one);
    up();
    await watch(opened);
  }

  /** Follows the connection, which the library makes again when it breaks. */
  async function watch(watched: NatsConnection): Promise<void> {
    for await (const { type } of watched.status()) {
      if (watched !== connection || isClosed) return;
      if (type === 'disconnect') down();
      else if (type === 'reconnecting' && !isUp) expectAttempt();
      else if (type === 'reconnect' && !isUp) up();
      else if (type === 'staleConnection') replace('NATS does not answer pings');
    }
    if (watched === connection && !isClosed) replace('the connection to NATS was closed');
  }

  function expectAttempt(): void {
    clearTimeout(watchdog);
    const replaceIt = guard('the watchdog of NATS', () => replace('no attempt to reconnect is made'));
    watchdog = setTimeout(replaceIt, ATTEMPT_PATIENCE).unref();
  }

  function up(): void {
    clearTimeout(watchdog);
    isUp = true;
    published = 0;
    flushed = 0;
    confirmed = 0;
    if (downSince === undefined) log.info('connected to NATS');
    else log.info({ seconds: Math.round((performance.now() - downSince) / 100) / 10 }, 'connected to NATS');
    notify(events.connected);
  }

  function down(): void {
    if (!isUp) return;
    isUp = false;
    downSince = performance.now();
    expectAttempt();
    log.warn('disconnected from NATS; other nodes are told as soon as it is back');
    for (const settle of flushes) settle(false);
    flushes.clear();
    notify(events.disconnected);
  }

  /** Calls the owner; an error there must not end the following of the connection. */
  function notify(event: () => void): void {
    try {
      event();
    } catch (error) {
      log.error({ err: error }, 'a change of the connection to NATS could not be handled');
    }
  }

  /**
   * Drops the connection with what waits to be sent, and makes another one. The library would wait until that has
   * been sent, which a stalled connection never does.
   */
  function replace(reason: string): void {
    log.warn({ reason }, 'replacing the connection to NATS');
    const stalled = connection;
    connection = undefined;
    down();
    clearTimeout(watchdog);
    void stalled?.close().catch((error) => log.warn({ err: error }, 'a connection to NATS did not close'));
    connectInBackground();
  }

  function flush(): Promise<boolean> {
    const flushing = connection;
    if (!isUp || !flushing) return Promise.resolve(false);
    const upTo = published;
    flushed = published;
    return new Promise((resolve) => {
      const settle = (isConfirmed: boolean) => {
        if (!flushes.delete(settle)) return;
        if (isConfirmed) confirmed = Math.max(confirmed, upTo);
        resolve(isConfirmed);
      };
      flushes.add(settle);
      flushing.flush().then(
        () => settle(true),
        () => settle(false),
      );
    });
  }

  function listen(subject: string, one: Subscribed): void {
    one.subscription = connection?.subscribe(subject, {
      callback(error, message) {
        if (error) return log.error({ err: error, subject }, 'NATS refused a subscription');
        // An error that left this function would end the reading of the connection.
        try {
          const { buffer, byteOffset, length } = message.data;
          one.receive(Buffer.from(buffer, byteOffset, length));
        } catch (cause) {
          log.error({ err: cause, subject }, 'a message from NATS could not be handled');
        }
      },
    });
  }

  async function connectOptions(): Promise<Parameters<typeof connect>[0]> {
    const urls = servers.map((server) => new URL(server));
    const [first] = urls;
    const user = decodeURIComponent(first?.username ?? '');
    const pass = decodeURIComponent(first?.password ?? '');
    const read = (file: string) =>
      readFile(file).catch(() => {
        throw new StartError(`The file ${file}, named in NATS_CREDS or NATS_CA, cannot be read`);
      });
    const isTls = urls.some(({ protocol }) => protocol === 'tls:');
    return {
      servers: urls.map(({ host }) => host),
      name: 'parley',
      noEcho: true,
      maxReconnectAttempts: -1,
      ignoreAuthErrorAbort: true,
      timeout: CONNECT_TIMEOUT,
      reconnectTimeWait: RECONNECT_WAIT,
      pingInterval: PING_INTERVAL,
      maxPingOut: 2,
      ...(user && (pass ? { user, pass } : { token: user })),
      ...(credentials && { authenticator: credsAuthenticator(new Uint8Array(await read(credentials))) }),
      ...(isTls && { tls: authorities ? { ca: (await read(authorities)).toString() } : {} }),
    };
  }
}

function withoutPassword(server: string): string {
  const { protocol, host } = new URL(server);
  return `${protocol}//${host}`;
}
