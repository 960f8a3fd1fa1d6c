import { setTimeout as delay } from 'node:timers/promises';
import {
  type ConnectionOptions,
  connect,
  type NatsConnection,
  type Status,
  type Subscription,
} from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { createGuard } from '../../net/guard.ts';
import { CONNECT_WAIT, connectOptions, type NatsOptions, withoutPassword } from './connectOptions.ts';
import { InFlight } from './InFlight.ts';
import type { LinkEvents, NatsLink } from './link.ts';

/**
 * Milliseconds without another attempt after which the library is not relied on any more: when a connection breaks in
 * the middle of its handshake, two attempts of nats.js 3.4 get into each other's way and both stand still.
 */
const ATTEMPT_PATIENCE = 4_000;
/** Bytes that may wait to be confirmed; beyond, NATS or the network has stalled and the connection is replaced. */
const MAX_IN_FLIGHT_BYTES = 32 * 1024 * 1024;
/** Milliseconds to send what is left on `close`. */
const CLOSE_PATIENCE = 5_000;

/** Connects in the background, again and again until it succeeds: a node serves its own connections without NATS. */
export async function openNatsLink(options: NatsOptions, log: Logger, events: LinkEvents): Promise<NatsLink> {
  const servers = options.servers.map(withoutPassword);
  const link = new ReconnectingLink(servers, await connectOptions(options), log, events);
  link.connectInBackground();
  return link;
}

interface Receiver {
  readonly receive: (payload: Buffer) => void;
  /** Over the current connection. */
  subscription: Subscription | undefined;
}

class ReconnectingLink implements NatsLink {
  /** Names in the log. */
  readonly #servers: readonly string[];
  readonly #options: ConnectionOptions;
  readonly #log: Logger;
  readonly #events: LinkEvents;
  readonly #receivers = new Map<string, Receiver>();
  /** Called with false when the connection breaks before a flush is confirmed. */
  readonly #flushes = new Set<(isConfirmed: boolean) => void>();
  readonly #inFlight = new InFlight();
  readonly #replaceStalled: () => void;
  #connection: NatsConnection | undefined;
  #state: 'down' | 'up' | 'closed' = 'down';
  /** When the connection broke; undefined before there was one. */
  #downSince: number | undefined;
  #watchdog: NodeJS.Timeout | undefined;

  constructor(servers: readonly string[], options: ConnectionOptions, log: Logger, events: LinkEvents) {
    this.#servers = servers;
    this.#options = options;
    this.#log = log;
    this.#events = events;
    this.#replaceStalled = createGuard(log)('the watchdog of NATS', () =>
      this.#replace('no attempt to reconnect is made'),
    );
  }

  get isUp(): boolean {
    return this.#state === 'up';
  }

  get #isClosed(): boolean {
    return this.#state === 'closed';
  }

  get inFlight(): number {
    return this.#inFlight.bytes;
  }

  get unflushed(): number {
    return this.#inFlight.unflushed;
  }

  connectInBackground(): void {
    this.#open().catch((error) => this.#log.error({ err: error }, 'the connection to NATS failed'));
  }

  publish(subject: string, payload: Uint8Array | string): boolean {
    const connection = this.#connection;
    if (!this.isUp || !connection) return false;
    try {
      connection.publish(subject, payload);
    } catch (error) {
      const { length: bytes } = payload;
      const maxPayload = connection.info?.max_payload;
      this.#log.error({ err: error, subject, bytes, maxPayload }, 'NATS refused a publication');
      return false;
    }
    this.#inFlight.published(payload.length);
    if (this.inFlight > MAX_IN_FLIGHT_BYTES) this.#replace('NATS does not take what is published');
    return true;
  }

  subscribe(subject: string, receive: (payload: Buffer) => void): () => void {
    const receiver: Receiver = { receive, subscription: undefined };
    this.#receivers.set(subject, receiver);
    this.#subscribe(subject, receiver);
    return () => {
      receiver.subscription?.unsubscribe();
      if (this.#receivers.get(subject) === receiver) this.#receivers.delete(subject);
    };
  }

  flush(): Promise<boolean> {
    const connection = this.#connection;
    if (!this.isUp || !connection) return Promise.resolve(false);
    const count = this.#inFlight.beginFlush();
    return new Promise((resolve) => {
      const settle = (isConfirmed: boolean) => {
        if (!this.#flushes.delete(settle)) return;
        if (isConfirmed) this.#inFlight.confirm(count);
        resolve(isConfirmed);
      };
      this.#flushes.add(settle);
      connection.flush().then(
        () => settle(true),
        () => settle(false),
      );
    });
  }

  async close(): Promise<void> {
    clearTimeout(this.#watchdog);
    const draining = this.isUp ? this.#connection?.drain() : undefined;
    this.#state = 'closed';
    await Promise.race([draining, delay(CLOSE_PATIENCE, undefined, { ref: false })]).catch(() => {});
    await this.#connection?.close();
  }

  async #open(): Promise<void> {
    this.#log.info({ servers: this.#servers }, 'connecting to NATS');
    const opened = await this.#connect();
    if (this.#isClosed) return opened?.close();
    this.#connection = opened;
    for (const [subject, receiver] of this.#receivers) this.#subscribe(subject, receiver);
    this.#up();
    if (opened) await this.#watch(opened);
  }

  /** Tries until it succeeds, or the link is closed. */
  async #connect(): Promise<NatsConnection | undefined> {
    for (let attempt = 1; !this.#isClosed; attempt++) {
      try {
        return await connect(this.#options);
      } catch (error) {
        // One line, however long it takes.
        this.#log[attempt === 1 && this.#downSince === undefined ? 'warn' : 'debug'](
          { err: error },
          'NATS does not answer; this node serves its own connections meanwhile',
        );
        await delay(CONNECT_WAIT, undefined, { ref: false });
      }
    }
    return undefined;
  }

  /** Follows the connection, which the library makes again when it breaks. */
  async #watch(watched: NatsConnection): Promise<void> {
    for await (const { type } of watched.status()) {
      if (watched !== this.#connection || this.#isClosed) return;
      this.#handle(type);
    }
    if (watched === this.#connection && !this.#isClosed) this.#replace('the connection to NATS was closed');
  }

  #handle(type: Status['type']): void {
    if (type === 'disconnect') this.#down();
    else if (type === 'reconnecting' && !this.isUp) this.#expectAttempt();
    else if (type === 'reconnect' && !this.isUp) this.#up();
    else if (type === 'staleConnection') this.#replace('NATS does not answer pings');
  }

  #expectAttempt(): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(this.#replaceStalled, ATTEMPT_PATIENCE).unref();
  }

  #up(): void {
    clearTimeout(this.#watchdog);
    this.#state = 'up';
    this.#inFlight.reset();
    const seconds =
      this.#downSince === undefined
        ? undefined
        : Math.round((performance.now() - this.#downSince) / 100) / 10;
    this.#log.info(seconds === undefined ? {} : { seconds }, 'connected to NATS');
    this.#notify(this.#events.connected);
  }

  #down(): void {
    if (!this.isUp) return;
    this.#state = 'down';
    this.#downSince = performance.now();
    this.#expectAttempt();
    this.#log.warn('disconnected from NATS; publications for other nodes are sent after reconnecting');
    for (const settle of this.#flushes) settle(false);
    this.#flushes.clear();
    this.#notify(this.#events.disconnected);
  }

  /** Calls the owner; an error there must not end the following of the connection. */
  #notify(event: () => void): void {
    try {
      event();
    } catch (error) {
      this.#log.error({ err: error }, 'failed to handle a status of the connection to NATS');
    }
  }

  /**
   * Drops the connection with what waits to be sent, and makes another one. The library would wait until that has
   * been sent, which a stalled connection never does.
   */
  #replace(reason: string): void {
    this.#log.warn({ reason }, 'replacing the connection to NATS');
    const stalled = this.#connection;
    this.#connection = undefined;
    this.#down();
    clearTimeout(this.#watchdog);
    void stalled
      ?.close()
      .catch((error) => this.#log.warn({ err: error }, 'failed to close a connection to NATS'));
    this.connectInBackground();
  }

  #subscribe(subject: string, receiver: Receiver): void {
    receiver.subscription = this.#connection?.subscribe(subject, {
      callback: (error, message) => {
        if (error) return this.#log.error({ err: error, subject }, 'NATS refused a subscription');
        // An error that left this function would end the reading of the connection.
        try {
          const { buffer, byteOffset, length } = message.data;
          receiver.receive(Buffer.from(buffer, byteOffset, length));
        } catch (cause) {
          this.#log.error({ err: cause, subject }, 'failed to handle a message from NATS');
        }
      },
    });
  }
}
