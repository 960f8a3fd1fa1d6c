import type { ConnectionId, UserId } from '../ids.ts';
import { networkOf } from '../net/address.ts';
import type { Connection } from './Connection.ts';
import { OneOrMany } from './OneOrMany.ts';

/** The connections of this node by their id, their user and the network of their address. */
export class ConnectionRegistry {
  readonly #byId = new Map<ConnectionId, Connection>();
  readonly #byUser = new OneOrMany<UserId, Connection>();
  readonly #byNetwork = new Map<string, number>();

  get size(): number {
    return this.#byId.size;
  }

  /** Number of users with a connection here. */
  get users(): number {
    return this.#byUser.size;
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#byId.values();
  }

  get(id: ConnectionId): Connection | undefined {
    return this.#byId.get(id);
  }

  ofUser(userId: UserId): readonly Connection[] {
    return this.#byUser.of(userId);
  }

  countOfUser(userId: UserId): number {
    return this.#byUser.count(userId);
  }

  countOfNetwork(network: string): number {
    return this.#byNetwork.get(network) ?? 0;
  }

  /** Iterates over the users with connections that receive their pushes, each with these connections. */
  *following(): IterableIterator<[UserId, Connection[]]> {
    for (const userId of this.#byUser.keys()) {
      const connections = this.ofUser(userId).filter(({ isFollowing }) => isFollowing);
      if (connections.length > 0) yield [userId, connections];
    }
  }

  add(connection: Connection): void {
    const network = networkOf(connection.address);
    this.#byId.set(connection.id, connection);
    this.#byUser.add(connection.session.userId, connection);
    this.#byNetwork.set(network, this.countOfNetwork(network) + 1);
  }

  /** Returns false if the connection was not there. */
  delete(connection: Connection): boolean {
    if (!this.#byId.delete(connection.id)) return false;
    this.#byUser.delete(connection.session.userId, connection);
    const network = networkOf(connection.address);
    const left = this.countOfNetwork(network) - 1;
    if (left > 0) this.#byNetwork.set(network, left);
    else this.#byNetwork.delete(network);
    return true;
  }
}
