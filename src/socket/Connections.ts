import type { Session } from '../auth/session.ts';
import type { Bus, BusMessage, ChatPosition, MembershipChange, Signal, Unsubscribe } from '../bus/bus.ts';
import { chatTopic, presenceTopic, type Topic, userTopic } from '../bus/topics.ts';
import type { Clock } from '../database/clock.ts';
import type { ChatId, ConnectionId, UserId } from '../ids.ts';
import { networkOf } from '../net/address.ts';
import type { Guard } from '../net/guard.ts';
import type { Listener } from '../net/listener.ts';
import type { Watching } from '../presence/Presence.ts';
import { CloseCode } from '../protocol/closeCodes.ts';
import { bytesOf, Connection, type Socket } from './Connection.ts';
import { drainConnections } from './drain.ts';
import { OneOrMany } from './OneOrMany.ts';
import { createRounds } from './rounds.ts';

/** Milliseconds between two looks at whether a token has expired, and into how many steps a look at all is divided. */
const EXPIRY_LOOK = 500;
const EXPIRY_STEPS = 10;
/** Milliseconds over which connections are closed that have to synchronise. */
const RESYNCHRONISE = 5_000;
/** Connections that leave their groups in one turn of the event loop. */
const LEAVING_AT_ONCE = 500;

/** A group that a user is in, as it was at `seq`, and the oldest message that the user may see. */
export interface GroupPosition extends ChatPosition {
  readonly firstSeq: number;
}

/** Chats of a user, as a connection receives them at its admission. */
export interface UserChats {
  readonly groups: readonly GroupPosition[];
  /** Undefined where there is one node: what it says itself is in order. */
  readonly dialogs: readonly ChatPosition[] | undefined;
  /** A `pg_snapshot` as text: what was visible when this was read. */
  readonly snapshot: string;
}

/** True if a user was in a group when it was at `seq`. */
export interface MembershipAt extends ChatPosition {
  /** Null: the user was not in it. */
  readonly firstSeq: number | null;
  /** The newest message from before the user joined; null: not looked for. */
  readonly before: number | null;
}

/** What happens to connections that others have to act on. */
export interface ConnectionHandlers {
  /** The connections of a user are to be compared with the database. */
  reconcile(userId: UserId): void;
  /** A block hides from now on the presence of a user whom a connection watches. */
  hidden(connection: Connection, userId: UserId): void;
  /** The presence of users whom a connection watches is not hidden any more. */
  shown(connection: Connection, userIds: readonly UserId[]): void;
}

type Push = Extract<BusMessage, { readonly frame: string }>;

const NOBODY: readonly Connection[] = [];

/** A topic that connections of this node listen to. */
interface TopicEntry {
  listeners: number;
  /** What has come since then. */
  delivered: number;
  unsubscribe: Unsubscribe;
}

/**
 * The connections of this node: which user's they are, which topics they listen to. It subscribes to the bus
 * for just those topics, and acts on the signals that concern its users.
 */
export class Connections {
  readonly #bus: Bus;
  readonly #listener: Pick<Listener, 'publish' | 'isSingle'>;
  readonly #byId = new Map<ConnectionId, Connection>();
  readonly #byUser = new OneOrMany<UserId, Connection>();
  readonly #byNetwork = new Map<string, number>();
  readonly #topics = new Map<Topic, TopicEntry>();
  /** Of each group those who may not see all of its messages, and the newest `seq` that any of them begins with. */
  readonly #newcomers = new Map<ChatId, { readonly all: Set<Connection>; lastFirstSeq: number }>();
  readonly #handlers: ConnectionHandlers;
  readonly #clock: Clock;
  readonly #sweep: NodeJS.Timeout;
  #lastId: ConnectionId = 0;

  /** Tokens expire by the `clock`. */
  constructor(
    bus: Bus,
    listener: Pick<Listener, 'publish' | 'isSingle'>,
    handlers: ConnectionHandlers,
    guard: Guard,
    clock: Clock,
  ) {
    this.#bus = bus;
    this.#listener = listener;
    this.#handlers = handlers;
    this.#clock = clock;
    let now = 0;
    const step = createRounds(this, EXPIRY_STEPS, (connection) => this.#endExpired(connection, now));
    this.#sweep = setInterval(
      guard('expired tokens', () => {
        now = clock.now();
        step();
      }),
      EXPIRY_LOOK / EXPIRY_STEPS,
    );
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

  get(id: ConnectionId): Connection | undefined {
    return this.#byId.get(id);
  }

  countOfUser(userId: UserId): number {
    return this.#byUser.count(userId);
  }

  countOfNetwork(network: string): number {
    return this.#byNetwork.get(network) ?? 0;
  }

  /** Takes note of a connection whose upgrade is under way: from here on it misses no signal. */
  register(session: Session, address: string, device: string | null): Connection {
    const connection = new Connection(++this.#lastId, session, address, device, this.#listener.publish);
    this.#byId.set(connection.id, connection);
    this.#byUser.add(session.userId, connection);
    const network = networkOf(address);
    this.#byNetwork.set(network, this.countOfNetwork(network) + 1);
    this.#subscribe(userTopic(session.userId));
    return connection;
  }

  /**
   * Listens for a connection that is admitted: to the groups it is in, but for what changed since they were read.
   * Resolves when it misses nothing of what other nodes publish; then it has ended where its token has expired meanwhile.
   */
  async subscribe(connection: Connection, { groups, dialogs, snapshot }: UserChats): Promise<void> {
    const { changed, session } = connection;
    connection.changed = undefined;
    connection.snapshot = snapshot;
    connection.isSubscribed = true;
    this.#bus.begin(userTopic(session.userId), dialogs, snapshot);
    for (const group of groups) {
      const change = changed?.get(group.chatId);
      if (!change || change.seq <= group.seq) this.#joinFrom(connection, group);
    }
    for (const [chatId, { seq, firstSeq }] of changed ?? [])
      if (firstSeq !== undefined && !connection.groups.has(chatId))
        this.#joinFrom(connection, { chatId, seq, firstSeq });
    connection.groups.trim();
    await this.#bus.settled();
    this.#endExpired(connection, this.#clock.now());
  }

  /** The socket is open: subscribes it to its user and to its groups. */
  attach(connection: Connection): void {
    const { socket } = connection;
    if (!socket) return;
    socket.subscribe(userTopic(connection.session.userId));
    for (const chatId of connection.groups.keys())
      if (!connection.behind.has(chatId)) socket.subscribe(chatTopic(chatId));
  }

  /** The socket is closed, or never opened. */
  remove(connection: Connection): void {
    const { id, session, address, isSubscribed: isListening, groups, watching } = connection;
    if (!this.#byId.delete(id)) return;
    // The highest first: a map of thousands takes the time of a copy for each that is taken out at its beginning.
    if (isListening) for (const chatId of groups.keys().reverse()) this.#forgetGroup(connection, chatId);
    for (const userId of watching?.watched ?? []) this.#unsubscribe(presenceTopic(userId));
    connection.socket = undefined;
    connection.isSubscribed = false;
    this.#unsubscribe(userTopic(session.userId));

    this.#byUser.delete(session.userId, connection);
    const network = networkOf(address);
    const left = this.countOfNetwork(network) - 1;
    if (left > 0) this.#byNetwork.set(network, left);
    else this.#byNetwork.delete(network);
  }

  /**
   * Takes note of users whose presence a connection is to be told of once they are shown to it; false, and nothing done,
   * when they would be more than `max`.
   */
  watch(connection: Connection, userIds: readonly UserId[], max: number): boolean {
    const { watched, hidden } = watchingOf(connection);
    if (new Set([...watched, ...hidden, ...userIds]).size > max) return false;
    const added = userIds.filter((userId) => !watched.has(userId));
    if (added.length > 0) connection.watching = { watched, hidden: new Set([...hidden, ...added]) };
    return true;
  }

  /** Without `userIds`: of nobody any more. */
  unwatch(id: ConnectionId, userIds?: readonly UserId[]): void {
    const connection = this.#byId.get(id);
    if (!connection) return;
    const { watched, hidden } = watchingOf(connection);
    for (const userId of userIds ?? [...watched, ...hidden]) {
      this.#stopWatching(connection, userId);
      hidden.delete(userId);
    }
    if (watched.size + hidden.size === 0) connection.watching = undefined;
  }

  /** Tells a connection from now on of the presence of those of the users who were hidden from it; returns these. */
  show(connection: Connection, userIds: readonly UserId[]): UserId[] {
    const { socket } = connection;
    if (!socket) return [];
    const { watched, hidden } = watchingOf(connection);
    const shown = userIds.filter((userId) => hidden.delete(userId));
    for (const userId of shown) {
      watched.add(userId);
      this.#subscribeSocket(socket, presenceTopic(userId));
    }
    return shown;
  }

  /** Sets right, by what the database says, which of the users whom a connection watches are hidden by a block. */
  setHidden(connection: Connection, blocked: ReadonlySet<UserId>): void {
    const { watched, hidden } = watchingOf(connection);
    for (const userId of [...watched]) if (blocked.has(userId)) this.#hide(connection, userId);
    const shown = [...hidden].filter((userId) => !blocked.has(userId));
    if (shown.length > 0) this.#handlers.shown(connection, this.show(connection, shown));
  }

  /** Returns how many pushes of the presence of these users were delivered since somebody here watches them. */
  presencePushes(userIds: readonly UserId[]): number {
    return userIds.reduce((sum, id) => sum + (this.#topics.get(presenceTopic(id))?.delivered ?? 0), 0);
  }

  /** True if somebody may watch the presence of a user: here, or on another node. */
  mayBeWatched(userId: UserId): boolean {
    return this.#bus.isShared || this.#topics.has(presenceTopic(userId));
  }

  #hide(connection: Connection, userId: UserId): void {
    if (!this.#stopWatching(connection, userId)) return;
    watchingOf(connection).hidden.add(userId);
    this.#handlers.hidden(connection, userId);
  }

  #stopWatching(connection: Connection, userId: UserId): boolean {
    if (!watchingOf(connection).watched.delete(userId)) return false;
    connection.socket?.unsubscribe(presenceTopic(userId));
    this.#unsubscribe(presenceTopic(userId));
    return true;
  }

  /** Ends a connection whose token does not stand any more. */
  revoke(connection: Connection): void {
    connection.close(CloseCode.Unauthorized, 'The token was revoked');
  }

  /** The users with a connection that listens, each with its connections. */
  *listening(): IterableIterator<[UserId, Connection[]]> {
    for (const userId of this.#byUser.keys()) {
      const connections = this.ofUser(userId).filter(
        ({ isSubscribed: isListening, isLeaving }) => isListening && !isLeaving,
      );
      if (connections.length > 0) yield [userId, connections];
    }
  }

  ofUser(userId: UserId): readonly Connection[] {
    return this.#byUser.of(userId);
  }

  /**
   * Sets right whether the connections of a user are in a group, by what the database says: where the chat was at
   * `seq`, the user was a member who may see messages from `firstSeq` on, or was none. It takes effect in the order of
   * the chat. `before` is the newest message from before the user joined.
   */
  setMembership(userId: UserId, { chatId, seq, firstSeq, before }: MembershipAt): void {
    const topic = chatTopic(chatId);
    if (firstSeq !== null && before !== null) {
      if ((this.#bus.position(topic, chatId) ?? before) > before) {
        // The message they joined with was delivered for others here, and does not come again.
        const missed = this.ofUser(userId).filter(({ groups }) => !groups.has(chatId));
        this.resynchronise(missed, 'A group was joined unseen; connect again and synchronise');
      } else this.#follow({ chatId, seq: before + 1 }, seq);
    }
    this.#bus.catchUp(topic, { chatId, seq });
    this.#bus.after(topic, { chatId, seq }, () => {
      for (const connection of this.ofUser(userId)) {
        if (!connection.isSubscribed || connection.isLeaving) continue;
        if (firstSeq === null) this.#leave(connection, chatId, seq);
        else this.#join(connection, chatId, firstSeq);
      }
    });
  }

  /** Resolves when the topics that are listened to now miss nothing of what other nodes publish. */
  settled(): Promise<void> {
    return this.#bus.settled();
  }

  /** Closes connections, a slice at a time, that must read anew what this node cannot push to them. */
  resynchronise(affected: Iterable<Connection>, reason: string): void {
    const connections = [...affected].filter(
      ({ isSubscribed: isListening, isLeaving }) => isListening && !isLeaving,
    );
    for (const connection of connections) {
      connection.isLeaving = true;
      connection.socket?.unsubscribe(userTopic(connection.session.userId));
    }
    this.#leaveGroups(connections);
    void drainConnections(connections, reason, RESYNCHRONISE).then((busy) => {
      for (const connection of busy) connection.close(CloseCode.ServiceRestart, reason);
    });
  }

  /** Takes connections out of all their groups, some at a time: there may be very many. */
  #leaveGroups(connections: readonly Connection[]): void {
    for (const connection of connections.slice(0, LEAVING_AT_ONCE))
      for (const chatId of connection.groups.keys().reverse()) this.#leave(connection, chatId);
    if (connections.length > LEAVING_AT_ONCE)
      setImmediate(() => this.#leaveGroups(connections.slice(LEAVING_AT_ONCE)));
  }

  /** More of a chat was missed than is pushed: who receives the topic must synchronise. */
  resynchroniseTopic(topic: Topic, chatId: ChatId): void {
    const isGroup = topic === chatTopic(chatId);
    const affected = isGroup
      ? [...this.#byId.values()].filter(({ groups }) => groups.has(chatId))
      : this.ofUser(Number(topic.slice('user:'.length)));
    if (isGroup) for (const { socket } of affected) socket?.unsubscribe(topic);
    this.resynchronise(affected, 'Too much was missed to push it; connect again and synchronise');
  }

  close(): void {
    clearInterval(this.#sweep);
  }

  #subscribeSocket(socket: Socket, topic: Topic): void {
    socket.subscribe(topic);
    this.#subscribe(topic);
  }

  /** Listens on the bus while at least one connection wants the topic. */
  #subscribe(topic: Topic): void {
    const known = this.#topics.get(topic);
    if (known) {
      known.listeners++;
      return;
    }
    const entry: TopicEntry = { listeners: 1, delivered: 0, unsubscribe: () => {} };
    this.#topics.set(topic, entry);
    entry.unsubscribe = this.#bus.subscribe(topic, (message) => {
      entry.delivered++;
      this.#deliver(topic, entry, message);
    });
  }

  #unsubscribe(topic: Topic): void {
    const entry = this.#topics.get(topic);
    if (!entry || --entry.listeners > 0) return;
    this.#topics.delete(topic); // before: what waited for the topic may listen to it again
    entry.unsubscribe();
  }

  #deliver(topic: Topic, entry: TopicEntry, message: BusMessage): void {
    if ('signal' in message) return this.#handle(Number(topic.slice('user:'.length)), message.signal);
    const { place, membership, about } = message;
    if (place && membership) this.#letIn(place.chatId, place.seq, membership);
    const unseeing = about?.seq === undefined ? NOBODY : this.#unseeing(about.chatId, about.seq);
    this.#push(topic, entry, message, unseeing);
    if (place && membership) this.#letOut(place.chatId, place.seq, membership);
  }

  /** Sends a frame to the sockets of a topic but for the connection it came from and the `excluded`. */
  #push(topic: Topic, { listeners }: TopicEntry, message: Push, excluded: readonly Connection[]): void {
    const { except, exceptUsers } = message;
    const sender = except === undefined ? undefined : this.#byId.get(except);
    // Most people have one connection: what they write themselves concerns nobody else in their own topic.
    if (sender && listeners === 1 && topic === userTopic(sender.session.userId)) return;
    const frame = bytesOf(message.frame);
    const { isSingle } = this.#listener;
    if (excluded.length === 0 && !exceptUsers && (isSingle || !sender)) {
      this.#publish(topic, frame, sender);
    } else {
      const without = [...excluded, ...(exceptUsers ?? []).flatMap((userId) => this.ofUser(userId))];
      if (sender && !isSingle) without.push(sender);
      const unsubscribed = without.filter(({ socket }) => socket?.unsubscribe(topic));
      this.#publish(topic, frame, sender);
      for (const { socket } of unsubscribed) socket?.subscribe(topic);
    }
  }

  /** A socket's own publish reaches all of the topic but itself. */
  #publish(topic: Topic, frame: Buffer, sender: Connection | undefined): void {
    if (!(this.#listener.isSingle && sender?.publish(topic, frame))) this.#listener.publish(topic, frame);
  }

  /** Members who may not see a message of a group. */
  #unseeing(chatId: ChatId, seq: number): readonly Connection[] {
    const newcomers = this.#newcomers.get(chatId);
    // Most changes are of messages that everybody may see: then nobody is looked at.
    if (!newcomers || newcomers.lastFirstSeq <= seq) return NOBODY;
    return [...newcomers.all].filter(({ groups }) => (groups.get(chatId) ?? 1) > seq);
  }

  #letIn(chatId: ChatId, seq: number, { joined = [], firstSeq = 1 }: MembershipChange): void {
    for (const userId of joined)
      for (const connection of this.ofUser(userId)) {
        if (!connection.isSubscribed) connection.noteChange(chatId, { seq, firstSeq });
        else if (seq > (connection.behind.get(chatId) ?? 0)) this.#join(connection, chatId, firstSeq);
        connection.changes++;
      }
  }

  #letOut(chatId: ChatId, seq: number, { left = [], closes }: MembershipChange): void {
    const leaving = closes
      ? [...this.#byId.values()].filter(
          ({ isSubscribed: isListening, groups }) => !isListening || groups.has(chatId),
        )
      : left.flatMap((userId) => this.ofUser(userId));
    for (const connection of leaving) {
      if (connection.isSubscribed) this.#leave(connection, chatId, seq);
      else connection.noteChange(chatId, { seq, firstSeq: undefined });
      connection.changes++;
    }
  }

  #handle(userId: UserId, signal: Signal): void {
    if (signal.kind === 'reconcile') return this.#handlers.reconcile(userId);
    if (signal.kind === 'joined') return this.#joined(userId, signal);
    for (const connection of this.ofUser(userId)) this.#apply(connection, signal);
  }

  #apply(connection: Connection, signal: Exclude<Signal, { kind: 'joined' | 'reconcile' }>): void {
    const { sessionId, session } = connection;
    switch (signal.kind) {
      case 'revoked':
        if (signal.tokenVersion === undefined || session.tokenVersion < signal.tokenVersion)
          this.revoke(connection);
        return;
      case 'ended':
        if (
          sessionId === signal.sessionId ||
          (signal.tokenId !== undefined && session.tokenId === signal.tokenId)
        )
          connection.close(CloseCode.Unauthorized, 'The session was ended');
        return;
      case 'othersEnded':
        // Told late, as after an outage, it finds those who logged in since.
        if (sessionId !== signal.sessionId && (signal.since === undefined || session.since !== signal.since))
          connection.close(CloseCode.Unauthorized, 'The session was ended');
        return;
      case 'unwatch':
        connection.hidings++;
        return this.#hide(connection, signal.userId);
    }
  }

  /**
   * A user joined a group at `seq`. Where this node follows the group, the message itself lets them in; where it does
   * not, it has to from there on.
   */
  #joined(userId: UserId, { chatId, seq }: ChatPosition): void {
    const position = this.#bus.position(chatTopic(chatId), chatId);
    const isMissing = this.ofUser(userId).some(
      ({ isSubscribed: isListening, groups }) => isListening && !groups.has(chatId),
    );
    if (!this.#topics.has(chatTopic(chatId)) || position === undefined || position < seq)
      this.#follow({ chatId, seq });
    else if (isMissing) this.#handlers.reconcile(userId); // this node follows the group since a later message
  }

  /** Listens to a group at least until the message at `seq` was delivered, with which somebody joins who is here. */
  #follow({ chatId, seq }: ChatPosition, until = seq): void {
    const topic = chatTopic(chatId);
    const isNew = !this.#topics.has(topic);
    this.#subscribe(topic);
    if (isNew) this.#bus.begin(topic, [{ chatId, seq: seq - 1 }]);
    void this.#bus.settled().then(() => {
      // Other nodes may have published more before they knew that somebody listens here.
      const isOpen = isNew && this.#bus.isShared;
      this.#bus.catchUp(topic, { chatId, seq: isOpen ? Number.POSITIVE_INFINITY : seq });
      this.#bus.after(topic, { chatId, seq: until }, () => this.#unsubscribe(topic));
    });
  }

  /** Puts a connection into a group as it was read from the database, where the chat was at `seq`. */
  #joinFrom(connection: Connection, { chatId, seq, firstSeq }: GroupPosition): void {
    const topic = chatTopic(chatId);
    connection.behind.set(chatId, seq);
    this.#keepGroup(connection, chatId, firstSeq);
    this.#bus.begin(topic, [{ chatId, seq }]);
    this.#bus.catchUp(topic, { chatId, seq });
    this.#bus.after(topic, { chatId, seq }, () => {
      if (connection.behind.get(chatId) === seq) this.#subscribeToGroup(connection, chatId);
    });
  }

  /** Puts a connection into a group with the message that is delivered now. */
  #join(connection: Connection, chatId: ChatId, firstSeq: number): void {
    if (connection.isLeaving) return;
    this.#keepGroup(connection, chatId, firstSeq);
    this.#subscribeToGroup(connection, chatId);
  }

  #subscribeToGroup(connection: Connection, chatId: ChatId): void {
    connection.behind.delete(chatId);
    connection.socket?.subscribe(chatTopic(chatId));
  }

  /** Takes a connection out of a group, unless it is known to be in it at a later `seq`. */
  #leave(connection: Connection, chatId: ChatId, seq = Number.POSITIVE_INFINITY): void {
    if (!connection.groups.has(chatId) || seq <= (connection.behind.get(chatId) ?? 0)) return;
    connection.socket?.unsubscribe(chatTopic(chatId));
    this.#forgetGroup(connection, chatId);
  }

  #keepGroup(connection: Connection, chatId: ChatId, firstSeq: number): void {
    if (!connection.groups.has(chatId)) this.#subscribe(chatTopic(chatId));
    connection.groups.set(chatId, firstSeq);
    if (firstSeq <= 1) return this.#forgetNewcomer(connection, chatId);
    const newcomers = this.#newcomers.get(chatId) ?? { all: new Set(), lastFirstSeq: 0 };
    newcomers.all.add(connection);
    newcomers.lastFirstSeq = Math.max(newcomers.lastFirstSeq, firstSeq);
    this.#newcomers.set(chatId, newcomers);
  }

  #forgetGroup(connection: Connection, chatId: ChatId): void {
    connection.behind.delete(chatId);
    connection.groups.delete(chatId);
    this.#forgetNewcomer(connection, chatId);
    this.#unsubscribe(chatTopic(chatId));
  }

  #forgetNewcomer(connection: Connection, chatId: ChatId): void {
    const newcomers = this.#newcomers.get(chatId);
    if (newcomers?.all.delete(connection) && newcomers.all.size === 0) this.#newcomers.delete(chatId);
  }

  #endExpired(connection: Connection, now: number): void {
    if (connection.session.expiresAt <= now)
      connection.close(CloseCode.Unauthorized, 'The token has expired');
  }
}

/** The users whose presence a connection watches; of nobody's, a copy that is not kept. */
const watchingOf = ({ watching }: Connection): Watching =>
  watching ?? { watched: new Set(), hidden: new Set() };
