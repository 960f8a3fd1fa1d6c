import type { Bus } from '../bus/bus.ts';
import { presenceTopic } from '../bus/topics.ts';
import type { ConnectionId, UserId } from '../ids.ts';
import type { Viewers, Watching } from '../presence/viewers.ts';
import type { Connection } from './Connection.ts';
import type { ConnectionRegistry } from './ConnectionRegistry.ts';
import type { TopicSubscriptions } from './TopicSubscriptions.ts';

/** Pushes that follow when a block hides the presence of a user, or hides it no longer. */
export interface PresenceHandlers {
  /** A block hides from now on the presence of a user whom a connection watches. */
  hidden(connection: Connection, userId: UserId): void;
  /** The presence of users whom a connection watches is not hidden any more. */
  shown(connection: Connection, userIds: readonly UserId[]): void;
}

/** Keeps the connections of this node subscribed to the presence of the users they watch and no block hides. */
export class PresenceSubscriptions implements Viewers {
  readonly #bus: Pick<Bus, 'isShared'>;
  readonly #topics: TopicSubscriptions;
  readonly #connections: ConnectionRegistry;
  readonly #handlers: PresenceHandlers;

  constructor(
    bus: Pick<Bus, 'isShared'>,
    topics: TopicSubscriptions,
    connections: ConnectionRegistry,
    handlers: PresenceHandlers,
  ) {
    this.#bus = bus;
    this.#topics = topics;
    this.#connections = connections;
    this.#handlers = handlers;
  }

  get(id: ConnectionId): Connection | undefined {
    return this.#connections.get(id);
  }

  /**
   * Takes note of users whose presence is to be pushed to a connection once they are shown to it. Returns false, and does
   * nothing, when they would be more than `max`.
   */
  watch(connection: Connection, userIds: readonly UserId[], max: number): boolean {
    const { watched, hidden } = watchingOf(connection);
    if (new Set([...watched, ...hidden, ...userIds]).size > max) return false;
    const added = userIds.filter((userId) => !watched.has(userId));
    if (added.length > 0) connection.watching = { watched, hidden: new Set([...hidden, ...added]) };
    return true;
  }

  /** Ends the subscription to users; without `userIds`, to all of them. */
  unwatch(id: ConnectionId, userIds?: readonly UserId[]): void {
    const connection = this.#connections.get(id);
    if (!connection) return;
    const { watched, hidden } = watchingOf(connection);
    for (const userId of userIds ?? [...watched, ...hidden]) {
      this.#unsubscribe(connection, userId);
      hidden.delete(userId);
    }
    if (watched.size + hidden.size === 0) connection.watching = undefined;
  }

  /** Pushes to a connection from now on the presence of those of the users who were hidden from it; returns these. */
  show(connection: Connection, userIds: readonly UserId[]): UserId[] {
    const { socket } = connection;
    if (!socket) return [];
    const { watched, hidden } = watchingOf(connection);
    const shown = userIds.filter((userId) => hidden.delete(userId));
    for (const userId of shown) {
      watched.add(userId);
      socket.subscribe(presenceTopic(userId));
      this.#topics.subscribe(presenceTopic(userId));
    }
    return shown;
  }

  /** Hides the presence of a user from a connection, because of a block. */
  hide(connection: Connection, userId: UserId): void {
    if (!this.#unsubscribe(connection, userId)) return;
    watchingOf(connection).hidden.add(userId);
    this.#handlers.hidden(connection, userId);
  }

  /** Corrects, by what the database says, which of the users whom a connection watches are hidden by a block. */
  setHidden(connection: Connection, blocked: ReadonlySet<UserId>): void {
    const { watched, hidden } = watchingOf(connection);
    for (const userId of [...watched]) if (blocked.has(userId)) this.hide(connection, userId);
    const shown = [...hidden].filter((userId) => !blocked.has(userId));
    if (shown.length > 0) this.#handlers.shown(connection, this.show(connection, shown));
  }

  /** Unsubscribes a connection whose socket is closed. */
  remove({ watching }: Connection): void {
    for (const userId of watching?.watched ?? []) this.#topics.unsubscribe(presenceTopic(userId));
  }

  /** Returns how many pushes of the presence of these users were delivered since somebody here watches them. */
  presencePushes(userIds: readonly UserId[]): number {
    return userIds.reduce((sum, id) => sum + this.#topics.delivered(presenceTopic(id)), 0);
  }

  /** Returns true if somebody may watch the presence of a user: here, or on another node. */
  mayBeWatched(userId: UserId): boolean {
    return this.#bus.isShared || this.#topics.has(presenceTopic(userId));
  }

  #unsubscribe(connection: Connection, userId: UserId): boolean {
    if (!watchingOf(connection).watched.delete(userId)) return false;
    connection.socket?.unsubscribe(presenceTopic(userId));
    this.#topics.unsubscribe(presenceTopic(userId));
    return true;
  }
}

/** Returns the users whose presence a connection watches; where there are none, an object that is not kept. */
const watchingOf = ({ watching }: Connection): Watching =>
  watching ?? { watched: new Set(), hidden: new Set() };
