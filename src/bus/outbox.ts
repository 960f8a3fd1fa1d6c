import type { Logger } from 'pino';
import type { Transaction } from 'sequelize';
import type { Database } from '../database/database.ts';
import { isTransient } from '../database/failures.ts';
import type { UserId } from '../ids.ts';
import { createGuard } from '../net/guard.ts';
import type { NodeMessage, Publisher } from './bus.ts';
import { type Topic, userTopic } from './topics.ts';

/** Milliseconds between two looks. */
const LOOK = 1_000;
/** Seconds that a node may be away from the database without missing anything. */
const KEPT = 60;

/** The bus of a process that is no node, such as an operator's command. */
export interface OutboxBus extends Publisher {
  /** Resolves when nodes can find all that was published. */
  written(): Promise<void>;
}

/** Publishes by way of the outbox, where every node finds it within seconds. */
export function createOutboxBus(db: Database): OutboxBus {
  let writing: Promise<unknown> = Promise.resolve();
  return {
    publish(topic, message) {
      // Messages of chats are in the database themselves.
      const entry = 'frame' in message && message.place ? { head: message.place } : message;
      writing = writing.then(() => addToOutbox(db, topic, entry));
      writing.catch(() => {}); // written() rejects with it
    },
    written: async () => {
      await writing;
    },
  };
}

/**
 * Leaves a message for all nodes in the database. Within a `transaction` it is found if and only if that was committed,
 * whatever becomes of the node that ran it.
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
 * Lets every node compare the connections of a user with the database, within a second of the commit of the transaction
 * that changed what they may do.
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

interface Notice {
  readonly id: number;
  readonly topic: Topic;
  readonly message: NodeMessage;
}

/**
 * Hands this node what is in the outbox, each message once; calls `missed` when the database was away for too long to
 * know all of it.
 */
export function watchOutbox(
  db: Database,
  receive: (topic: Topic, message: NodeMessage) => void,
  missed: () => void,
  log: Logger,
): { close(): void } {
  // By time and not from the last id on: a transaction with a lower one may commit later.
  let seen: Set<number> | undefined;
  let lookedAt = performance.now();
  let isLooking = false;
  const hear = createGuard(log)('a notice of the outbox', receive); // the others are heard all the same

  async function look(): Promise<void> {
    const now = performance.now();
    const notices = await db.query<Notice>(recent, []);
    const news = seen ? notices.filter(({ id }) => !seen?.has(id)) : []; // connections see what was before
    seen = new Set(notices.map(({ id }) => id));
    if (now - lookedAt > KEPT * 1000) missed();
    lookedAt = now;
    for (const { topic, message } of news) hear(topic, message);
  }

  async function turn(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    await look().catch((error) => {
      if (!isTransient(error)) log.error({ err: error }, 'the outbox could not be read');
    });
    isLooking = false;
  }

  void turn();
  const timer = setInterval(turn, LOOK).unref();
  return { close: () => clearInterval(timer) };
}

const recent = `
select id, topic, message from notices
where created_at > clock_timestamp() - make_interval(secs => ${KEPT})
order by id
`;
