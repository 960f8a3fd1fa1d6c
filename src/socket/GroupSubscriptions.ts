import type { Bus, ChatPosition, MembershipChange } from '../bus/bus.ts';
import { chatTopic } from '../bus/topics.ts';
import type { ChatId, UserId } from '../ids.ts';
import type { Connection } from './Connection.ts';
import type { ConnectionRegistry } from './ConnectionRegistry.ts';
import { Newcomers } from './Newcomers.ts';
import type { TopicSubscriptions } from './TopicSubscriptions.ts';

/** Connections that leave their groups in one turn of the event loop. */
const LEAVING_AT_ONCE = 500;

/** A group of a user as it was at `seq`, and the oldest message that the user may see. */
export interface GroupPosition extends ChatPosition {
  readonly firstSeq: number;
}

/** The membership of a user in a group as it was at `seq`. */
export interface MembershipAt extends ChatPosition {
  /** Null: the user was not a member. */
  readonly firstSeq: number | null;
  /** The newest message from before the user joined; null: not looked for. */
  readonly before: number | null;
}

/** Actions of others that a change of membership may require. */
export interface GroupHandlers {
  /** Compares the connections of a user with the database. */
  reconcile(userId: UserId): void;
  /** Closes connections that have to synchronise. */
  resynchronise(connections: readonly Connection[], reason: string): void;
}

/**
 * Keeps the connections of this node subscribed to the groups of their users. A change of membership takes effect in the
 * order of its chat: with the message that carries it, or, where that was missed, once the chat was delivered up to it.
 */
export class GroupSubscriptions {
  readonly #bus: Bus;
  readonly #topics: TopicSubscriptions;
  readonly #connections: ConnectionRegistry;
  readonly #handlers: GroupHandlers;
  readonly #newcomers = new Newcomers();

  constructor(
    bus: Bus,
    topics: TopicSubscriptions,
    connections: ConnectionRegistry,
    handlers: GroupHandlers,
  ) {
    this.#bus = bus;
    this.#topics = topics;
    this.#connections = connections;
    this.#handlers = handlers;
  }

  /** Subscribes a connection to its groups as they were read, except for changes that were noted since. */
  begin(connection: Connection, groups: readonly GroupPosition[]): void {
    const { changed } = connection;
    connection.changed = undefined;
    for (const group of groups) {
      const change = changed?.get(group.chatId);
      if (!change || change.seq <= group.seq) this.#joinAt(connection, group);
    }
    for (const [chatId, { seq, firstSeq }] of changed ?? [])
      if (firstSeq !== undefined && !connection.groups.has(chatId))
        this.#joinAt(connection, { chatId, seq, firstSeq });
    connection.groups.trim();
  }

  /** Subscribes the socket of a connection that has opened. */
  attach({ socket, groups, behind }: Connection): void {
    for (const chatId of groups.keys()) if (!behind.has(chatId)) socket?.subscribe(chatTopic(chatId));
  }

  /** Unsubscribes a connection from all its groups once its socket is closed. */
  remove(connection: Connection): void {
    // The highest first: a map of thousands takes the time of a copy for each that is taken out at its beginning.
    for (const chatId of connection.groups.keys().reverse()) this.#deleteGroup(connection, chatId);
  }

  /** Takes connections out of all their groups, a slice in each turn: there may be very many. */
  leaveAll(connections: readonly Connection[]): void {
    for (const connection of connections.slice(0, LEAVING_AT_ONCE))
      for (const chatId of connection.groups.keys().reverse()) this.#leave(connection, chatId);
    if (connections.length > LEAVING_AT_ONCE)
      setImmediate(() => this.leaveAll(connections.slice(LEAVING_AT_ONCE)));
  }

  /** Returns the connections that are in a group. */
  membersOf(chatId: ChatId): Connection[] {
    return [...this.#connections].filter(({ groups }) => groups.has(chatId));
  }

  /** Returns the connections that may not see the message of a group at `seq`. */
  excludedFrom(chatId: ChatId, seq: number): readonly Connection[] {
    return this.#newcomers.excludedFrom(chatId, seq);
  }

  /** Subscribes the users who join with the message at `seq`, before it is pushed. */
  addMembers({ chatId, seq }: ChatPosition, { joined = [], firstSeq = 1 }: MembershipChange): void {
    for (const userId of joined)
      for (const connection of this.#connections.ofUser(userId)) {
        if (!connection.isSubscribed) connection.noteChange(chatId, { seq, firstSeq });
        else if (seq > (connection.behind.get(chatId) ?? 0)) this.#join(connection, chatId, firstSeq);
        connection.membershipChanges++;
      }
  }

  /** Unsubscribes the users who leave with the message at `seq`, after it was pushed. */
  removeMembers({ chatId, seq }: ChatPosition, { left = [], closes }: MembershipChange): void {
    const leaving = closes
      ? [...this.#connections].filter(({ isSubscribed, groups }) => !isSubscribed || groups.has(chatId))
      : left.flatMap((userId) => this.#connections.ofUser(userId));
    for (const connection of leaving) {
      if (connection.isSubscribed) this.#leave(connection, chatId, seq);
      else connection.noteChange(chatId, { seq, firstSeq: undefined });
      connection.membershipChanges++;
    }
  }

  /**
   * Prepares for a user who joined a group at `seq`. Where this node follows the group, the message itself lets them in;
   * where it does not, it has to from there on.
   */
  joined(userId: UserId, { chatId, seq }: ChatPosition): void {
    const position = this.#bus.position(chatTopic(chatId), chatId);
    const isMissing = this.#connections
      .ofUser(userId)
      .some(({ isFollowing, groups }) => isFollowing && !groups.has(chatId));
    if (!this.#topics.has(chatTopic(chatId)) || position === undefined || position < seq)
      this.#follow({ chatId, seq });
    else if (isMissing) this.#handlers.reconcile(userId); // this node follows the group since a later message
  }

  /**
   * Corrects whether the connections of a user are in a group, by what the database says: where the chat was at
   * `seq`, the user was a member who may see messages from `firstSeq` on, or was none. It takes effect in the order of
   * the chat. `before` is the newest message from before the user joined.
   */
  setMembership(userId: UserId, { chatId, seq, firstSeq, before }: MembershipAt): void {
    const topic = chatTopic(chatId);
    if (firstSeq !== null && before !== null) {
      if ((this.#bus.position(topic, chatId) ?? before) > before) {
        // The message they joined with was delivered for others here, and is not delivered again.
        const missed = this.#connections.ofUser(userId).filter(({ groups }) => !groups.has(chatId));
        this.#handlers.resynchronise(missed, 'Joining a group was missed; reconnect and synchronise');
      } else this.#follow({ chatId, seq: before + 1 }, seq);
    }
    this.#bus.catchUp(topic, { chatId, seq });
    this.#bus.after(topic, { chatId, seq }, () => {
      for (const connection of this.#connections.ofUser(userId)) {
        if (!connection.isFollowing) continue;
        if (firstSeq === null) this.#leave(connection, chatId, seq);
        else this.#join(connection, chatId, firstSeq);
      }
    });
  }

  /** Subscribes to a group at least until the message at `until` was delivered, with which a user of this node joins. */
  #follow({ chatId, seq }: ChatPosition, until = seq): void {
    const topic = chatTopic(chatId);
    const isNew = !this.#topics.has(topic);
    this.#topics.subscribe(topic);
    if (isNew) this.#bus.begin(topic, [{ chatId, seq: seq - 1 }]);
    void this.#bus.settled().then(() => {
      // Other nodes may have published more before they knew of the subscription.
      const isOpen = isNew && this.#bus.isShared;
      this.#bus.catchUp(topic, { chatId, seq: isOpen ? Number.POSITIVE_INFINITY : seq });
      this.#bus.after(topic, { chatId, seq: until }, () => this.#topics.unsubscribe(topic));
    });
  }

  /** Puts a connection into a group as it was read from the database, where the chat was at `seq`. */
  #joinAt(connection: Connection, { chatId, seq, firstSeq }: GroupPosition): void {
    const topic = chatTopic(chatId);
    connection.behind.set(chatId, seq);
    this.#setGroup(connection, chatId, firstSeq);
    this.#bus.begin(topic, [{ chatId, seq }]);
    this.#bus.catchUp(topic, { chatId, seq });
    this.#bus.after(topic, { chatId, seq }, () => {
      if (connection.behind.get(chatId) === seq) this.#subscribeSocket(connection, chatId);
    });
  }

  /** Puts a connection into a group with the message that is delivered now. */
  #join(connection: Connection, chatId: ChatId, firstSeq: number): void {
    if (!connection.isFollowing) return;
    this.#setGroup(connection, chatId, firstSeq);
    this.#subscribeSocket(connection, chatId);
  }

  #subscribeSocket(connection: Connection, chatId: ChatId): void {
    connection.behind.delete(chatId);
    connection.socket?.subscribe(chatTopic(chatId));
  }

  /** Takes a connection out of a group, unless it is known to be in it at a later `seq`. */
  #leave(connection: Connection, chatId: ChatId, seq = Number.POSITIVE_INFINITY): void {
    if (!connection.groups.has(chatId) || seq <= (connection.behind.get(chatId) ?? 0)) return;
    connection.socket?.unsubscribe(chatTopic(chatId));
    this.#deleteGroup(connection, chatId);
  }

  #setGroup(connection: Connection, chatId: ChatId, firstSeq: number): void {
    if (!connection.groups.has(chatId)) this.#topics.subscribe(chatTopic(chatId));
    connection.groups.set(chatId, firstSeq);
    if (firstSeq > 1) this.#newcomers.add(connection, chatId, firstSeq);
    else this.#newcomers.delete(connection, chatId);
  }

  #deleteGroup(connection: Connection, chatId: ChatId): void {
    connection.behind.delete(chatId);
    connection.groups.delete(chatId);
    this.#newcomers.delete(connection, chatId);
    this.#topics.unsubscribe(chatTopic(chatId));
  }
}
