import type { TokenClaims } from '../auth/tokens.ts';
import type { Bus, BusMessage, ChatPosition, Signal } from '../bus/bus.ts';
import { chatTopic, type Topic, userTopic } from '../bus/topics.ts';
import type { Clock } from '../database/clock.ts';
import type { ChatId, ConnectionId, UserId } from '../ids.ts';
import type { Guard } from '../net/guard.ts';
import { CloseCode } from '../protocol/closeCodes.ts';
import { Connection } from './Connection.ts';
import { ConnectionRegistry } from './ConnectionRegistry.ts';
import { drainConnections } from './drain.ts';
import { closeExpired, watchExpiry } from './expiry.ts';
import { type GroupPosition, GroupSubscriptions } from './GroupSubscriptions.ts';
import { type PresenceHandlers, PresenceSubscriptions } from './PresenceSubscriptions.ts';
import { type NativePublisher, pushToSockets } from './pushToSockets.ts';
import { reasonToEnd } from './reasonToEnd.ts';
import { type TopicSubscription, TopicSubscriptions } from './TopicSubscriptions.ts';

/** Milliseconds over which connections are closed that have to synchronise. */
const RESYNCHRONISE = 5_000;

/** Chats of a user, as a connection receives them at its admission. */
export interface UserChats {
  readonly groups: readonly GroupPosition[];
  /** Undefined where there is one node: what it publishes itself is in order. */
  readonly dialogs: readonly ChatPosition[] | undefined;
  /** A `pg_snapshot` as text: the state of the database in which this was read. */
  readonly snapshot: string;
}

/** Actions of others that an event on a connection requires. */
export interface ConnectionHandlers extends PresenceHandlers {
  /** Compares the connections of a user with the database. */
  reconcile(userId: UserId): void;
}

const NOBODY: readonly Connection[] = [];

/**
 * The connections of this node, from `register` to `remove`. It subscribes to the bus for the topics of their users,
 * groups and presence, delivers pushes to their sockets, and handles the signals to its users.
 */
export class Connections extends ConnectionRegistry {
  readonly groups: GroupSubscriptions;
  readonly presence: PresenceSubscriptions;
  readonly #topics: TopicSubscriptions;
  readonly #bus: Bus;
  readonly #native: NativePublisher;
  readonly #handlers: ConnectionHandlers;
  readonly #clock: Clock;
  readonly #expiry: { close(): void };
  #lastId = 0;

  /** Tokens expire by the `clock`. */
  constructor(bus: Bus, native: NativePublisher, handlers: ConnectionHandlers, guard: Guard, clock: Clock) {
    super();
    this.#bus = bus;
    this.#native = native;
    this.#handlers = handlers;
    this.#clock = clock;
    this.#topics = new TopicSubscriptions(bus, (topic, subscription, message) =>
      this.#deliver(topic, subscription, message),
    );
    this.groups = new GroupSubscriptions(bus, this.#topics, this, {
      reconcile: (userId) => handlers.reconcile(userId),
      resynchronise: (connections, reason) => this.resynchronise(connections, reason),
    });
    this.presence = new PresenceSubscriptions(bus, this.#topics, this, handlers);
    this.#expiry = watchExpiry(this, clock, guard);
  }

  /** Returns an id that no other connection of this node has. */
  newId(): ConnectionId {
    return ++this.#lastId as ConnectionId;
  }

  /** Registers a connection whose upgrade is under way: from here on it misses no signal. */
  register(session: TokenClaims, address: string, device: string | null): Connection {
    const connection = new Connection(this.newId(), session, address, device, this.#native.publish);
    this.add(connection);
    this.#topics.subscribe(userTopic(session.userId));
    return connection;
  }

  /**
   * Subscribes a connection that is admitted to its chats. Resolves when it misses nothing of what other nodes publish; it
   * is closed then where its token has expired in the meantime.
   */
  async subscribe(connection: Connection, { groups, dialogs, snapshot }: UserChats): Promise<void> {
    connection.snapshot = snapshot;
    this.#bus.begin(userTopic(connection.session.userId), dialogs, snapshot);
    this.groups.begin(connection, groups);
    await this.#bus.settled();
    closeExpired(connection, this.#clock.now());
  }

  /** Subscribes the socket that was opened to the topics of the connection. */
  attach(connection: Connection): void {
    if (connection.state !== 'open') return;
    connection.socket?.subscribe(userTopic(connection.session.userId));
    this.groups.attach(connection);
  }

  /** Removes a connection whose socket has closed, or never opens. */
  remove(connection: Connection): void {
    if (!this.delete(connection)) return;
    connection.removed();
    this.groups.remove(connection);
    this.presence.remove(connection);
    this.#topics.unsubscribe(userTopic(connection.session.userId));
  }

  /** Closes a connection whose token is not valid any more. */
  revoke(connection: Connection): void {
    connection.close(CloseCode.Unauthorized, 'The token was revoked');
  }

  /** Resolves when the topics subscribed to so far miss nothing of what other nodes publish. */
  settled(): Promise<void> {
    return this.#bus.settled();
  }

  /** Closes connections, a slice at a time, that have to read from the database what this node cannot push to them. */
  resynchronise(affected: Iterable<Connection>, reason: string): void {
    const connections = [...new Set(affected)].filter(({ isFollowing }) => isFollowing);
    for (const connection of connections) {
      connection.startClosing();
      connection.socket?.unsubscribe(userTopic(connection.session.userId));
    }
    this.groups.leaveAll(connections);
    void drainConnections(connections, reason, RESYNCHRONISE).then((busy) => {
      for (const connection of busy) connection.close(CloseCode.ServiceRestart, reason);
    });
  }

  /** Closes the connections of a topic of which more was missed than is pushed. */
  resynchroniseTopic(topic: Topic, chatId: ChatId): void {
    const isGroup = topic === chatTopic(chatId);
    const affected = isGroup ? this.groups.membersOf(chatId) : this.ofUser(userOf(topic));
    if (isGroup) for (const { socket } of affected) socket?.unsubscribe(topic);
    this.resynchronise(affected, 'Too many messages were missed; reconnect and synchronise');
  }

  close(): void {
    this.#expiry.close();
  }

  #deliver(topic: Topic, { subscribers }: TopicSubscription, message: BusMessage): void {
    if ('signal' in message) return this.#handle(userOf(topic), message.signal);
    const { position, membership, about } = message;
    if (position && membership) this.groups.addMembers(position, membership);
    const excluded = about?.seq === undefined ? NOBODY : this.groups.excludedFrom(about.chatId, about.seq);
    pushToSockets(this.#native, this, topic, subscribers, message, excluded);
    if (position && membership) this.groups.removeMembers(position, membership);
  }

  #handle(userId: UserId, signal: Signal): void {
    if (signal.kind === 'reconcile') return this.#handlers.reconcile(userId);
    if (signal.kind === 'joined') return this.groups.joined(userId, signal);
    for (const connection of this.ofUser(userId)) {
      if (signal.kind === 'unwatch') {
        connection.timesHidden++;
        this.presence.hide(connection, signal.userId);
      } else {
        const reason = reasonToEnd(connection, signal);
        if (reason !== undefined) connection.close(CloseCode.Unauthorized, reason);
      }
    }
  }
}

/** Returns the user of a user's topic. */
const userOf = (topic: Topic): UserId => Number(topic.slice('user:'.length)) as UserId;
