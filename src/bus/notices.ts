import type { Logger } from 'pino';
import type { Database } from '../database/database.ts';
import { isUnavailable } from '../database/failures.ts';
import type { NodeMessage, Publisher, Topic } from './bus.ts';

/** Milliseconds between two looks. */
const LOOK = 1_000;
/** Seconds that a node may be away from the database without missing anything. */
const KEPT = 60;

export interface NoticeBus extends Publisher {
  /** Resolves when nodes can find all that was published. */
  written(): Promise<void>;
}

/** The bus of a process that is no node, such as an operator's command: what it publishes, nodes find in the database. */
export function createNoticeBus(db: Database): NoticeBus {
  let writing: Promise<unknown> = Promise.resolve();
  return {
    publish(topic, message) {
      // Messages of chats are in the database themselves.
      const told = 'frame' in message && message.place ? { head: message.place } : message;
      writing = writing.then(() => db.select(write, [topic, JSON.stringify(told)]));
    },
    written: async () => {
      await writing;
    },
  };
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

/** Tells this node of what operators' commands publish, each once; `missed`, when it was away for too long to know. */
export function hearNotices(
  db: Database,
  hear: (topic: Topic, message: NodeMessage) => void,
  missed: () => void,
  log: Logger,
): { close(): void } {
  // By time and not from the last id on: a transaction with a lower one may commit later.
  let heard: Set<number> | undefined;
  let heardAt = performance.now();
  let isLooking = false;

  async function look(): Promise<void> {
    const notices = await db.select<Notice>(recent, []);
    const news = heard ? notices.filter(({ id }) => !heard?.has(id)) : []; // connections see what was before
    heard = new Set(notices.map(({ id }) => id));
    if (performance.now() - heardAt > KEPT * 1000) missed();
    heardAt = performance.now();
    for (const { topic, message } of news) hear(topic, message);
  }

  async function turn(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    await look().catch((error) => {
      if (!isUnavailable(error)) log.error({ err: error }, 'what operators did cannot be read');
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
