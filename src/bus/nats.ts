import { readFile } from 'node:fs/promises';
import {
  connect,
  createInbox,
  credsAuthenticator,
  type Msg,
  type NatsConnection,
  type Subscription,
} from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { StartError } from '../errors.ts';
import type { Carrier, NodeMessage, Place, Topic } from './bus.ts';
import { createMemoryBus } from './memory.ts';
import { Heard, type Publication, Recent } from './Recent.ts';
import { decode, decodePublication, encode, encodePublication, type NodeQuestion } from './wire.ts';

export interface NatsOptions {
  /** `nats://` or `tls://`, with user and password where they are wanted. */
  readonly servers: readonly string[];
  /** A file with credentials (JWT and seed), as `nsc` makes it. */
  readonly credentials?: string | undefined;
  /** A file with the certificate authorities to trust instead of the system's. */
  readonly authorities?: string | undefined;
}

export interface NatsCarrier extends Carrier {
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
/** Milliseconds by which clocks may differ, and by which it is noticed late that NATS is away. */
const MARGIN = 10_000;
/** Milliseconds for which the answers of the other nodes are gathered. */
const ANSWERS = 500;
/** The answer of a node that does not know all of it any more. */
const FORGOTTEN = 'forgotten';
/** The subject on which all nodes hear each other's questions. */
const NODES = `${PREFIX}.nodes`;

/** What the bus tells of its losses. */
export interface Losses {
  /** A chat is that far, and something of it may not have come. */
  lost(topic: Topic, head: Place): void;
  /** NATS was away since then, at the earliest. */
  returned(since: Date): void;
  /** More was published meanwhile, beside messages, than anybody has kept: who listens here must read it anew. */
  forgotten(): void;
}

/**
 * The bus of several nodes: NATS carries (https://docs.nats.io), local subscribers are told at once. A subject per
 * topic, subscribed to while somebody on this node listens, so that a node without members of a chat gets nothing of
 * it. NATS keeps nothing for who is away, so a node that comes back tells what it could not, and asks the others for
 * what it did not hear; of messages only how far each chat is: those are read from the database.
 */
export async function createNatsCarrier(
  { servers, credentials, authorities }: NatsOptions,
  log: Logger,
  { lost, returned, forgotten }: Losses,
): Promise<NatsCarrier> {
  const local = createMemoryBus(lost);
  const topics = new Map<Topic, Subscription | undefined>();
  const recent = new Recent();
  const heard = new Heard();
  /** What was published before that number, NATS has. */
  let confirmed = 0;
  /** The newest place of each topic that NATS may not have carried: since the last ping that was answered. */
  let unconfirmed = new Map<Topic, Place>();
  let connection: NatsConnection | undefined;
  let isUp = false;
  let awaySince = new Date();
  let isClosed = false;
  let last: { readonly message: NodeMessage; readonly payload: Uint8Array } | undefined;
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
    isShared: true,
    publishHead(topic, head) {
      lost(topic, head);
      if (isUp) connection?.publish(subjectOf(topic), encode({ head }));
    },
    get subscriptions() {
      return topics.size;
    },
    publish(topic, message) {
      local.publish(topic, message);
      let told: NodeMessage = message;
      if ('frame' in message && message.place) unconfirmed.set(topic, message.place);
      else if (!('frame' in message && message.isPassing)) told = recent.add(topic, message);
      if (isUp) connection?.publish(subjectOf(topic), payloadOf(told));
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
    hear: take,
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
    connection.subscribe(NODES, { callback: (_, message) => answer(message) });
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
    const since = awaySince.getTime() - MARGIN;
    returned(new Date(since));
    clearTimeout(telling);
    telling = setTimeout(() => {
      telling = undefined;
      if (!isUp || !connection) return;
      tell(connection);
      ask(connection, Date.now() - since);
    }, OTHERS_ARE_BACK);
  }

  /** Tells what NATS may not have carried. */
  function tell(to: NatsConnection): void {
    const missed = recent.from(confirmed);
    if (!missed) to.publish(NODES, JSON.stringify({ forgotten: true } satisfies NodeQuestion));
    for (const { topic, message } of missed ?? []) to.publish(subjectOf(topic), encode(message));
    for (const [topic, head] of unconfirmed) to.publish(subjectOf(topic), encode({ head }));
  }

  /** Asks the other nodes what they published in the last so many milliseconds, and takes it in its order. */
  function ask(from: NatsConnection, published: number): void {
    const answers: Publication[] = [];
    let isComplete = true;
    const inbox = createInbox();
    const subscription = from.subscribe(inbox, {
      callback(error, message) {
        if (error || message.data.length === 0) return; // that no other node is there
        if (message.string() === FORGOTTEN) isComplete = false;
        else answers.push(decodePublication(message.string()));
      },
    });
    from.publish(NODES, JSON.stringify({ published } satisfies NodeQuestion), { reply: inbox });
    setTimeout(() => {
      subscription.unsubscribe();
      if (isClosed) return;
      for (const { topic, message } of answers.sort((one, other) => one.at - other.at)) take(topic, message);
      if (!isComplete) forgotten();
    }, ANSWERS);
  }

  function answer(message: Msg): void {
    const question: NodeQuestion = message.json();
    if ('forgotten' in question) return forgotten();
    // Signals are not told again: their effects are in the database, which `returned` looks at.
    const known = recent.since(Date.now() - question.published);
    if (!known) message.respond(FORGOTTEN);
    for (const publication of known ?? [])
      if ('frame' in publication.message) message.respond(encodePublication(publication));
  }

  /** What was published before a ping that is answered, NATS has. */
  async function confirm(): Promise<void> {
    if (!isUp || !connection || telling) return; // what was not published yet is not confirmed either
    const published = unconfirmed;
    const next = recent.next;
    unconfirmed = new Map();
    try {
      await connection.flush();
      confirmed = next;
    } catch {
      unconfirmed = new Map([...published, ...unconfirmed]);
    }
  }

  /** Tells the local subscribers what came from another node, once. */
  function take(topic: Topic, message: NodeMessage): void {
    if ('head' in message || message.id === undefined || heard.add(message.id)) local.hear(topic, message);
  }

  /** Made once for the topics that get the same message one after another, as both people of a dialog do. */
  function payloadOf(message: NodeMessage): Uint8Array {
    if (last?.message !== message) last = { message, payload: Buffer.from(encode(message)) };
    return last.payload;
  }

  function listen(topic: Topic): Subscription | undefined {
    return connection?.subscribe(subjectOf(topic), {
      callback(error, message) {
        if (error) return log.error({ err: error, topic }, 'NATS refused a subscription');
        take(topic, decode(message.string()));
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
