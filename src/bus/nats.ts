import { readFile } from 'node:fs/promises';
import { connect, credsAuthenticator, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { StartError } from '../errors.ts';
import type { Bus, BusMessage, Place, Topic } from './bus.ts';
import { createMemoryBus } from './memory.ts';
import { decode, encode } from './wire.ts';

export interface NatsOptions {
  /** `nats://` or `tls://`, with user and password where they are wanted. */
  readonly servers: readonly string[];
  /** A file with credentials (JWT and seed), as `nsc` makes it. */
  readonly credentials?: string | undefined;
  /** A file with the certificate authorities to trust instead of the system's. */
  readonly authorities?: string | undefined;
}

export interface NatsBus extends Bus {
  readonly connected: boolean;
  /** Topics that somebody on this node listens to. */
  readonly subscriptions: number;
}

/** What the nodes of one installation say to each other. */
const PREFIX = 'parley';
/** Milliseconds between two attempts to come back. */
const RECONNECT_WAIT = 250;
/** Milliseconds between two pings; two without an answer, and the connection is dead. */
const PING_INTERVAL = 3_000;
/** Milliseconds after which the other nodes are back, too, when NATS was away. */
const OTHERS_ARE_BACK = 1_500;
/** What is not a message and could not be told while NATS was away: the newest so many are told later. */
const MAX_WAITING = 10_000;

/**
 * The bus of several nodes: NATS carries (https://docs.nats.io), local subscribers are told at once. A subject per
 * topic, subscribed to while somebody on this node listens, so that a node without members of a chat gets nothing of
 * it. While NATS is away, signals and events wait; of messages only how far each chat came: the other nodes read them
 * from the database. `lost` is told how far a chat is of which something may not have come, `returned` that NATS was
 * away since a time.
 */
export async function createNatsBus(
  { servers, credentials, authorities }: NatsOptions,
  log: Logger,
  lost: (topic: Topic, head: Place) => void,
  returned: (since: Date) => void,
): Promise<NatsBus> {
  const local = createMemoryBus();
  const topics = new Map<Topic, Subscription | undefined>();
  const waiting: { topic: Topic; message: BusMessage }[] = [];
  /** The newest place of each topic that NATS may not have carried: since the last ping that was answered. */
  let unconfirmed = new Map<Topic, Place>();
  let connection: NatsConnection | undefined;
  let isUp = false;
  let awaySince = new Date();
  let isClosed = false;
  let last: { readonly message: BusMessage; readonly payload: Uint8Array } | undefined;
  let settling: Promise<void> | undefined;
  /** Tells the others, a moment after NATS is back. */
  let telling: NodeJS.Timeout | undefined;

  const options = await connectOptions();
  // The server starts and serves its own connections without NATS.
  void open();
  const pings = setInterval(() => confirm(), PING_INTERVAL).unref();

  return {
    get connected() {
      return isUp;
    },
    get subscriptions() {
      return topics.size;
    },
    publish(topic, message) {
      local.publish(topic, message);
      if ('frame' in message && message.place) unconfirmed.set(topic, message.place);
      else if (!isUp) {
        waiting.push({ topic, message });
        if (waiting.length > MAX_WAITING) waiting.shift();
      }
      if (isUp) connection?.publish(subjectOf(topic), payloadOf(message));
    },
    subscribe(topic, deliver) {
      const unsubscribe = local.subscribe(topic, deliver);
      topics.set(topic, listen(topic));
      return () => {
        unsubscribe();
        topics.get(topic)?.unsubscribe();
        topics.delete(topic);
      };
    },
    begin: local.begin,
    catchUp: local.catchUp,
    /** One round trip for all who ask in the meantime; without NATS there is nothing to wait for. */
    settled() {
      if (!isUp || !connection) return Promise.resolve();
      settling ??= connection
        .flush()
        .catch(() => {})
        .finally(() => {
          settling = undefined;
        });
      return settling;
    },
    async close() {
      isClosed = true;
      isUp = false;
      clearInterval(pings);
      clearTimeout(telling);
      await connection?.drain().catch(() => {}); // what was published goes out
    },
  };

  async function open(): Promise<void> {
    log.info({ servers: servers.map(withoutPassword) }, 'connecting to NATS');
    while (!isClosed) {
      try {
        connection = await connect(options);
        break;
      } catch (error) {
        log.warn({ err: error }, 'NATS does not answer; this node serves its own connections meanwhile');
        await new Promise((resolve) => setTimeout(resolve, RECONNECT_WAIT * 4));
      }
    }
    if (!connection) return;
    if (isClosed) return connection.close();
    for (const topic of topics.keys()) topics.set(topic, listen(topic));
    up();
    void watch(connection);
  }

  async function watch(watched: NatsConnection): Promise<void> {
    for await (const { type } of watched.status()) {
      if (type === 'disconnect' && isUp) {
        isUp = false;
        awaySince = new Date();
        log.warn('NATS is away; other nodes are told as soon as it is back');
      } else if (type === 'reconnect' && !isUp) up();
    }
  }

  function up(): void {
    isUp = true;
    log.info('NATS carries');
    returned(awaySince);
    clearTimeout(telling);
    telling = setTimeout(() => {
      telling = undefined;
      if (!isUp || !connection) return;
      for (const { topic, message } of waiting.splice(0))
        connection.publish(subjectOf(topic), encode(message));
      for (const [topic, head] of unconfirmed) connection.publish(subjectOf(topic), encode({ head }));
    }, OTHERS_ARE_BACK);
  }

  /** What was published before a ping that is answered, NATS has. */
  async function confirm(): Promise<void> {
    if (!isUp || !connection || telling) return; // what was not published yet is not confirmed either
    const published = unconfirmed;
    unconfirmed = new Map();
    try {
      await connection.flush();
    } catch {
      unconfirmed = new Map([...published, ...unconfirmed]);
    }
  }

  /** Made once for the topics that get the same message one after another, as both people of a dialog do. */
  function payloadOf(message: BusMessage): Uint8Array {
    if (last?.message !== message) last = { message, payload: Buffer.from(encode(message)) };
    return last.payload;
  }

  function listen(topic: Topic): Subscription | undefined {
    return connection?.subscribe(subjectOf(topic), {
      callback(error, message) {
        if (error) return log.error({ err: error, topic }, 'NATS refused a subscription');
        const received = decode(message.string());
        if ('head' in received) lost(topic, received.head);
        else local.publish(topic, received);
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
      reconnectTimeWait: RECONNECT_WAIT,
      pingInterval: PING_INTERVAL,
      maxPingOut: 2,
      ...(user && (pass ? { user, pass } : { token: user })),
      ...(credentials && { authenticator: credsAuthenticator(new Uint8Array(await read(credentials))) }),
      ...(isTls && { tls: authorities ? { ca: (await read(authorities)).toString() } : {} }),
    };
  }
}

const subjectOf = (topic: Topic): string => `${PREFIX}.${topic.replace(':', '.')}`;

function withoutPassword(server: string): string {
  const { protocol, host } = new URL(server);
  return `${protocol}//${host}`;
}
