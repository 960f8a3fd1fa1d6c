import type { Logger } from 'pino';
import { type ServiceKey, useKeys, validKeys } from '../auth/serviceKeys.ts';
import type { Bus } from '../bus/bus.ts';
import { keyTopic, type Topic } from '../bus/topics.ts';
import type { Database } from '../database/database.ts';
import { isTransient } from '../database/failures.ts';
import { type Recurring, recurring } from '../database/recurring.ts';
import type { KeyId } from '../ids.ts';
import type { Listener, PublishToTopic } from '../net/listener.ts';
import { CloseCode } from '../protocol/closeCodes.ts';
import type { Connections } from './Connections.ts';
import { OneOrMany } from './OneOrMany.ts';
import { ServiceConnection } from './ServiceConnection.ts';
import { TopicSubscriptions } from './TopicSubscriptions.ts';

/** Milliseconds between two comparisons with the database. */
const INTERVAL = 60_000;

/**
 * The service connections of this node. They end when their key is revoked: by a signal, within a second, or by a
 * comparison with the database, once a minute, which also notes that keys are in use.
 */
export class ServiceConnections {
  readonly #db: Database;
  readonly #ids: Pick<Connections, 'newId'>;
  readonly #publish: PublishToTopic;
  readonly #all = new Set<ServiceConnection>();
  readonly #byKey = new OneOrMany<KeyId, ServiceConnection>();
  readonly #topics: TopicSubscriptions;
  readonly #comparing: Recurring;

  /** `ids` gives ids that no other connection of this node has. */
  constructor(
    db: Database,
    bus: Pick<Bus, 'subscribe'>,
    ids: Pick<Connections, 'newId'>,
    { publish }: Pick<Listener, 'publish'>,
    log: Logger,
    interval = INTERVAL,
  ) {
    this.#db = db;
    this.#ids = ids;
    this.#publish = publish;
    this.#topics = new TopicSubscriptions(bus, (topic) => this.#revoke(topic));
    this.#comparing = recurring(interval, () =>
      this.#compare().catch((error) => {
        if (!isTransient(error)) log.error({ err: error }, 'failed to compare API keys with the database');
      }),
    );
  }

  get size(): number {
    return this.#all.size;
  }

  [Symbol.iterator](): IterableIterator<ServiceConnection> {
    return this.#all.values();
  }

  countOfKey(keyId: KeyId): number {
    return this.#byKey.count(keyId);
  }

  /** Registers a connection whose upgrade is under way: from here on it misses no revocation. */
  register(key: ServiceKey, address: string, device: string | null): ServiceConnection {
    const connection = new ServiceConnection(this.#ids.newId(), key, address, device, this.#publish);
    this.#all.add(connection);
    this.#byKey.add(key.id, connection);
    this.#topics.subscribe(keyTopic(key.id));
    return connection;
  }

  /** Removes a connection whose socket has closed, or never opens. */
  remove(connection: ServiceConnection): void {
    if (!this.#all.delete(connection)) return;
    connection.removed();
    this.#byKey.delete(connection.key.id, connection);
    this.#topics.unsubscribe(keyTopic(connection.key.id));
  }

  close(): Promise<void> {
    return this.#comparing.close();
  }

  /** The only thing that is published to the topic of a key is its revocation. */
  #revoke(topic: Topic): void {
    for (const connection of this.#all) if (keyTopic(connection.key.id) === topic) end(connection);
  }

  async #compare(): Promise<void> {
    const db = this.#db;
    const connections = [...this.#all];
    if (connections.length === 0) return;
    const used = connections.filter(({ isUsed }) => isUsed);
    for (const connection of used) connection.isUsed = false;
    if (used.length > 0) await useKeys(db, idsOf(used));
    const valid = await validKeys(db, idsOf(connections));
    for (const connection of connections) if (!valid.has(connection.key.id)) end(connection);
  }
}

const end = (connection: ServiceConnection): void =>
  connection.close(CloseCode.Unauthorized, 'The key was revoked');

const idsOf = (connections: readonly ServiceConnection[]): KeyId[] => [
  ...new Set(connections.map(({ key }) => key.id)),
];
