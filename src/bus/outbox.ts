import type { Logger } from 'pino';
import type { Transaction } from 'sequelize';
import type { Database } from '../database/database.ts';
import { isTransient } from '../database/failures.ts';
import type { UserId } from '../ids.ts';
import { createGuard } from '../net/guard.ts';
import type { NodeMessage, Publisher } from './bus.ts';
import { SeenIds } from './SeenIds.ts';
import { type Topic, userTopic } from './topics.ts';

/** Milliseconds between two reads of the outbox. */
const POLL_INTERVAL = 1_000;
/** Seconds that a node may be away from the database without missing anything. */
const KEPT = 60;

/** The topic of what the outbox has for the nodes themselves. */
export const NODES_TOPIC = 'nodes';

/** The death of a node. Other nodes may not know its last changes. */
export interface NodeDeath {
  /** It had published the changes of all transactions below this one. */
  readonly since: string;
  /** Its changes are in transactions below this one. */
  readonly until: string;
}

/** A message in the outbox. */
export type OutboxMessage = NodeMessage | { readonly died: NodeDeath };

/** Publishes for a process that is not a node, such as an operator's command. */
export interface OutboxBus extends Publisher {
  /** Resolves when everything published is in the outbox. */
  written(): Promise<void>;
}

/** Creates a publisher that writes to the outbox, where every node finds the messages within seconds. */
export function createOutboxBus(db: Database): OutboxBus {
  let writing: Promise<unknown> = Promise.resolve();
  return {
    publish(topic, message) {
      // Messages of chats are in the database themselves.
      const entry = 'frame' in message && message.position ? { head: message.position } : message;
      writing = writing.then(() => addToOutbox(db, topic, entry));
      writing.catch(() => {}); // written() rejects with it
    },
    written: async () => {
      await writing;
    },
  };
}

/**
 * Writes a message for all nodes to the outbox. Within a `transaction` it is found if and only if that was committed,
 * even when the node that ran it dies.
 */
export async function addToOutbox(
  db: Database,
  topic: Topic,
  message: NodeMessage,
  transaction?: Transaction,
): Promise<void> {
  await db.execute(write, [topic, JSON.stringify(message)], transaction);
}

/**
 * Has every node compare the connections of a user with the database, within a second of the commit of the transaction
 * that changed what they may do. A change of a user that is in no row with its transaction is found by this as well, if its
 * node dies before it publishes.
 */
export function reconcileEverywhere(db: Database, userId: UserId, transaction: Transaction): Promise<void> {
  return addToOutbox(db, userTopic(userId), { signal: { kind: 'reconcile' } }, transaction);
}

const write = `
with old as (
  delete from notices where created_at < clock_timestamp() - make_interval(secs => 10 * ${KEPT})
)
insert into notices (topic, message) values ($1, $2::jsonb)
`;

interface Row {
  readonly id: number;
  readonly topic: Topic;
  readonly message: OutboxMessage;
}

/**
 * Delivers the messages of the outbox to this node, each once; calls `missed` when the database was away for too long
 * to know all of them.
 */
export function watchOutbox(
  db: Database,
  receive: (topic: Topic, message: OutboxMessage) => void,
  missed: () => void,
  log: Logger,
  interval = POLL_INTERVAL,
): { close(): void } {
  const seen = new SeenIds(KEPT * 1000, performance.now());
  let isPolling = false;
  const receiveOne = createGuard(log)('a message of the outbox', receive); // a fault in one does not stop the others

  async function poll(): Promise<void> {
    const now = performance.now();
    const { news, hasMissed } = seen.take(await db.query<Row>(recent, []), now);
    if (hasMissed) missed();
    for (const { topic, message } of news) receiveOne(topic, message);
  }

  async function pollUnlessPolling(): Promise<void> {
    if (isPolling) return;
    isPolling = true;
    await poll().catch((error) => {
      if (!isTransient(error)) log.error({ err: error }, 'failed to read the outbox');
    });
    isPolling = false;
  }

  void pollUnlessPolling();
  const timer = setInterval(pollUnlessPolling, interval).unref();
  return { close: () => clearInterval(timer) };
}

const recent = `
select id, topic, message from notices
where created_at > clock_timestamp() - make_interval(secs => ${KEPT})
order by id
`;
