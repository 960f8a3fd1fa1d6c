import type { Bus, BusMessage, Place, Signal, Topic, Unsubscribe } from '../bus/bus.ts';
import { networkOf } from '../http/address.ts';
import type { ChatId, ConnectionId, UserId } from '../ids.ts';
import type { Listener } from '../listener.ts';
import { bytesOf, Connection, ownTopic, type Socket } from './Connection.ts';
import { CloseCode } from './closeCodes.ts';
import type { Session } from './session.ts';

/** How often expired tokens are looked for, in milliseconds. */
const EXPIRY_SWEEP = 500;

/**
 * The connections of this node: which user's they are, which topics they listen to. It subscribes to the bus
 * for just those topics, and acts on the signals that concern its users.
 */
export class Connections {
  readonly #bus: Bus;
  readonly #listener: Pick<Listener, 'publish' | 'isSingle'>;
  readonly #byId = new Map<ConnectionId, Connection>();
  readonly #byUser = new Map<UserId, Set<Connection>>();
  readonly #byNetwork = new Map<string, number>();
  readonly #topics = new Map<Topic, { listeners: number; unsubscribe: Unsubscribe }>();
  readonly #sweep: NodeJS.Timeout;
  #lastId: ConnectionId = 0;

  constructor(bus: Bus, listener: Pick<Listener, 'publish' | 'isSingle'>) {
    this.#bus = bus;
    this.#listener = listener;
    this.#sweep = setInterval(() => this.#closeExpired(), EXPIRY_SWEEP);
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Users with a connection here. */
  get users(): number {
    return this.#byUser.size;
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#byId.values();
  }

  /** Some open socket of this node. */
  anyOpen(): Socket | undefined {
    for (const { socket } of this.#byId.values()) if (socket) return socket;
    return undefined;
  }

  countOfUser(userId: UserId): number {
    return this.#byUser.get(userId)?.size ?? 0;
  }

  countOfNetwork(network: string): number {
    return this.#byNetwork.get(network) ?? 0;
  }

  /** Takes note of a connection whose upgrade is under way: from here on it misses no signal. */
  expect(session: Session, address: string, device: string | null): Connection {
    const connection = new Connection(++this.#lastId, session, address, device, this.#listener.publish);
    this.#byId.set(connection.id, connection);
    const own = this.#byUser.get(session.userId) ?? new Set();
    this.#byUser.set(session.userId, own.add(connection));
    const network = networkOf(address);
    this.#byNetwork.set(network, this.countOfNetwork(network) + 1);
    this.#listen(userTopic(session.userId));
    return connection;
  }

  /**
   * Listens for a connection that is admitted: to the groups it is in, but for what changed meanwhile. Resolves when
   * it misses nothing of what other nodes publish.
   */
  async listen(
    connection: Connection,
    groups: readonly Place[],
    dialogs: readonly Place[] | undefined,
  ): Promise<void> {
    const { groups: own, session } = connection;
    for (const { chatId, seq } of groups) if (!own.has(chatId)) own.set(chatId, seq);
    if (dialogs) this.#bus.begin(userTopic(session.userId), dialogs);
    for (const [chatId, seq] of own) {
      if (seq === 'left') own.delete(chatId);
      else this.#listenToGroup({ chatId, seq });
    }
    connection.isListening = true;
    await this.#bus.settled();
  }

  /** The socket is open: subscribes it to its user and to its groups. */
  open(connection: Connection): void {
    const { socket } = connection;
    if (!socket) return;
    socket.subscribe(ownTopic(connection.id));
    socket.subscribe(userTopic(connection.session.userId));
    for (const groupId of connection.groups.keys()) socket.subscribe(chatTopic(groupId));
  }

  /** The socket is closed, or never opened. */
  forget(connection: Connection): void {
    const { id, session, address, isListening, groups } = connection;
    if (!this.#byId.delete(id)) return;
    if (isListening) for (const groupId of groups.keys()) this.#unlisten(chatTopic(groupId));
    for (const userId of connection.watched) this.#unlisten(presenceTopic(userId));
    connection.socket = undefined;
    connection.isListening = false;
    this.#unlisten(userTopic(session.userId));

    const own = this.#byUser.get(session.userId);
    own?.delete(connection);
    if (own?.size === 0) this.#byUser.delete(session.userId);
    const network = networkOf(address);
    const left = this.countOfNetwork(network) - 1;
    if (left > 0) this.#byNetwork.set(network, left);
    else this.#byNetwork.delete(network);
  }

  /** Tells a connection of the presence of users; false, and nothing done, when they would be more than `max`. */
  watch(id: ConnectionId, userIds: readonly UserId[], max: number): boolean {
    const connection = this.#byId.get(id);
    if (!connection?.socket) return true; // it is gone
    const { socket, watched } = connection;
    if (new Set([...watched, ...userIds]).size > max) return false;
    for (const userId of userIds) {
      if (watched.has(userId)) continue;
      watched.add(userId);
      this.#subscribe(socket, presenceTopic(userId));
    }
    return true;
  }

  /** Without `userIds`: of nobody any more. */
  unwatch(id: ConnectionId, userIds?: readonly UserId[]): void {
    const connection = this.#byId.get(id);
    if (!connection) return;
    for (const userId of userIds ?? [...connection.watched]) {
      if (!connection.watched.delete(userId)) continue;
      connection.socket?.unsubscribe(presenceTopic(userId));
      this.#unlisten(presenceTopic(userId));
    }
  }

  /** Ends a connection whose token does not stand any more. */
  revoke(connection: Connection): void {
    connection.close(CloseCode.Unauthorized, 'The token was revoked');
  }

  /** Sets right which groups a connection listens to, where signals were missed. */
  regroup(connection: Connection, groups: readonly Place[]): void {
    const now = new Set(groups.map(({ chatId }) => chatId));
    for (const chatId of [...connection.groups.keys()])
      if (!now.has(chatId)) this.#obey(connection, { kind: 'left', chatId });
    for (const { chatId, seq } of groups)
      if (!connection.groups.has(chatId)) this.#obey(connection, { kind: 'joined', chatId, seq: seq + 1 });
  }

  close(): void {
    clearInterval(this.#sweep);
  }

  #subscribe(socket: Socket, topic: Topic): void {
    socket.subscribe(topic);
    this.#listen(topic);
  }

  /** Listens on the bus while at least one connection wants the topic. */
  #listen(topic: Topic): void {
    const entry = this.#topics.get(topic);
    if (entry) entry.listeners++;
    else
      this.#topics.set(topic, {
        listeners: 1,
        unsubscribe: this.#bus.subscribe(topic, (message) => this.#deliver(topic, message)),
      });
  }

  #unlisten(topic: Topic): void {
    const entry = this.#topics.get(topic);
    if (!entry || --entry.listeners > 0) return;
    entry.unsubscribe();
    this.#topics.delete(topic);
  }

  #deliver(topic: Topic, message: BusMessage): void {
    if ('signal' in message) {
      const userId = Number(topic.slice('user:'.length));
      for (const connection of [...(this.#byUser.get(userId) ?? [])]) this.#obey(connection, message.signal);
      return;
    }
    const { except, exceptUsers = [] } = message;
    const frame = bytesOf(message.frame);
    const deaf = exceptUsers.flatMap((userId) => [...(this.#byUser.get(userId) ?? [])]);
    const sender = except === undefined ? undefined : this.#byId.get(except);
    if (sender && !this.#listener.isSingle) deaf.push(sender);
    const without = deaf.filter(({ socket }) => socket?.unsubscribe(topic));
    // A socket's own publish reaches all of the topic but itself.
    if (!(this.#listener.isSingle && sender?.publish(topic, frame))) this.#listener.publish(topic, frame);
    for (const { socket } of without) socket?.subscribe(topic);
  }

  #obey(connection: Connection, signal: Signal): void {
    if (signal.kind === 'revoked') {
      if (signal.tokenVersion === undefined || connection.session.tokenVersion < signal.tokenVersion)
        this.revoke(connection);
      return;
    }
    if (signal.kind === 'ended' || signal.kind === 'othersEnded') {
      const { sessionId, session } = connection;
      const named =
        signal.kind === 'ended'
          ? sessionId === signal.sessionId ||
            (signal.tokenId !== undefined && session.tokenId === signal.tokenId)
          : sessionId !== signal.sessionId;
      if (named) connection.close(CloseCode.Unauthorized, 'The session was ended');
      return;
    }
    if (signal.kind === 'unwatch') return this.unwatch(connection.id, [signal.userId]);
    const { chatId } = signal;
    const { socket, groups, isListening } = connection;
    const topic = chatTopic(chatId);
    if (!isListening) {
      groups.set(chatId, signal.kind === 'joined' ? signal.seq - 1 : 'left');
    } else if (signal.kind === 'joined' && !groups.has(chatId)) {
      const { seq } = signal;
      groups.set(chatId, seq - 1);
      this.#listenToGroup({ chatId, seq: seq - 1 });
      socket?.subscribe(topic);
      // What was published before the other nodes knew that somebody listens here.
      void this.#bus.settled().then(() => this.#bus.catchUp(topic, { chatId, seq }));
    } else if (signal.kind === 'left' && groups.delete(chatId)) {
      socket?.unsubscribe(topic);
      this.#unlisten(topic);
    }
  }

  #listenToGroup(head: Place): void {
    const topic = chatTopic(head.chatId);
    this.#listen(topic);
    this.#bus.begin(topic, [head]);
  }

  #closeExpired(): void {
    const now = Date.now();
    for (const connection of this.#byId.values())
      if (connection.session.expiresAt <= now)
        connection.close(CloseCode.Unauthorized, 'The token has expired');
  }
}

export const userTopic = (userId: UserId): Topic => `user:${userId}`;
export const presenceTopic = (userId: UserId): Topic => `presence:${userId}`;
export const chatTopic = (chatId: ChatId): Topic => `chat:${chatId}`;
