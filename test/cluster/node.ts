import { pino } from 'pino';
import type { Bus, BusMessage, BusTransport, MembershipChange, PushContext } from '../../src/bus/bus.ts';
import type { ReadPush } from '../../src/bus/chatRecord.ts';
import { createOrderedBus } from '../../src/bus/orderedBus.ts';
import { chatTopic, type Topic, userTopic } from '../../src/bus/topics.ts';
import type { ChatId, ConnectionId, UserId } from '../../src/ids.ts';
import { createGuard } from '../../src/net/guard.ts';
import type { Connection } from '../../src/socket/Connection.ts';
import { Connections } from '../../src/socket/Connections.ts';
import type { Socket } from '../../src/socket/SocketConnection.ts';
import { id } from '../support/ids.ts';

export const CHAT: ChatId = id(7);

/** A node with connections but without sockets: publications of other nodes arrive in an order chosen by the test. */
export class Node {
  readonly #subscribers = new Map<Topic, (message: BusMessage) => void>();
  readonly #sockets = new Map<Connection, { topics: Set<string>; frames: string[] }>();
  /** The messages of the chat in the database. */
  readonly record: ReadPush[] = [];
  /** Reads of messages from the database wait for it. */
  reading: Promise<void> = Promise.resolve();
  reads = 0;
  /** Writes of this node are answered when it resolves. */
  writing: Promise<void> = Promise.resolve();
  /** The validity of the tokens of connections. */
  tokenVersion = 1;
  readonly reconciled: number[] = [];
  /** The codes with which connections were closed. */
  readonly closed: number[] = [];
  readonly gapsTooLarge: Topic[] = [];
  readonly bus: Bus;
  readonly connections: Connections;

  constructor() {
    const transport: BusTransport = {
      isShared: true,
      isConnected: true,
      publish: (topic, message) => this.receive(topic, message),
      publishHead: () => {},
      subscribe: (topic, deliver) => {
        this.#subscribers.set(topic, deliver);
        return () => this.#subscribers.delete(topic);
      },
      receive: () => {},
      settled: async () => {},
      checkpoint: () => () => true,
      close: async () => {},
    };
    const log = pino({ level: 'silent' });
    this.bus = createOrderedBus(transport, {
      record: {
        read: async (_, from, to) => {
          this.reads++;
          await this.reading;
          return this.record.filter(({ seq }) => seq >= from && seq <= to);
        },
        head: async () => this.record.at(-1)?.seq ?? 0,
        headAt: async () => 0,
      },
      log,
      underWay: () => this.writing,
      gapFilled: () => {},
      gapTooLarge: (topic) => this.gapsTooLarge.push(topic),
    });
    const publish = (topic: string, frame: Buffer) => {
      for (const { topics, frames } of this.#sockets.values())
        if (topics.has(topic)) frames.push(frame.toString());
    };
    this.connections = new Connections(
      this.bus,
      { publish, isSingle: false },
      { reconcile: (userId) => this.reconciled.push(userId), hidden: () => {}, shown: () => {} },
      createGuard(log),
      Date,
    );
  }

  /** Connects a user; returns the frames that the socket receives. */
  async connect(userId: UserId, groups: { seq: number; firstSeq?: number }[]): Promise<string[]> {
    const session = {
      userId,
      tokenVersion: this.tokenVersion,
      tokenId: 'token',
      since: 0,
      issuedAt: 0,
      expiresAt: Date.now() + 60_000,
    };
    const connection = this.connections.register(session, '127.0.0.1', null);
    await this.connections.subscribe(connection, {
      groups: groups.map(({ seq, firstSeq = 1 }) => ({ chatId: CHAT, seq, firstSeq })),
      dialogs: [],
      snapshot: '1:1:',
    });
    const socket = { topics: new Set<string>(), frames: [] as string[] };
    this.#sockets.set(connection, socket);
    connection.open({
      subscribe: (topic: string) => socket.topics.add(topic),
      unsubscribe: (topic: string) => socket.topics.delete(topic),
      end: (code: number) => this.closed.push(code),
    } as unknown as Socket);
    this.connections.attach(connection);
    return socket.frames;
  }

  /** Receives a publication of another node. */
  receive(topic: Topic, message: BusMessage): void {
    this.#subscribers.get(topic)?.(message);
  }

  message(seq: number, membership?: MembershipChange): void {
    this.store(seq, membership);
    this.deliver(seq);
  }

  /** Stores a message in the database that has not arrived. */
  store(seq: number, membership?: MembershipChange): void {
    this.record.push({ seq, frame: `${seq}`, membership });
    this.record.sort((one, other) => one.seq - other.seq);
  }

  /** Receives a message of the database; its sender on this node is excluded. */
  deliver(seq: number, except?: ConnectionId): void {
    const push = this.record.find((one) => one.seq === seq);
    if (push) this.receive(chatTopic(CHAT), { ...push, except, position: { chatId: CHAT, seq } });
  }

  /** Returns the connection of a user. */
  connectionOf(userId: UserId): ConnectionId {
    const [connection] = this.connections.ofUser(userId) as [Connection];
    return connection.id;
  }

  /** Topics to which the node is subscribed, in alphabetical order. */
  get topics(): Topic[] {
    return [...this.#subscribers.keys()].sort();
  }

  change(frame: string, about: Omit<PushContext, 'chatId'>): void {
    this.receive(chatTopic(CHAT), { frame, about: { chatId: CHAT, ...about } });
  }

  joined(userId: UserId, seq: number): void {
    this.receive(userTopic(userId), { signal: { kind: 'joined', chatId: CHAT, seq } });
  }

  close(): void {
    this.connections.close();
  }
}
