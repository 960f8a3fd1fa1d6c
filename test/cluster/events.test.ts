import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { pino } from 'pino';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { addConsumer } from '../../src/events/consumers.ts';
import type { EventCursor } from '../../src/events/cursor.ts';
import { EventSubscription } from '../../src/events/EventSubscription.ts';
import { cursorFromNow, listEvents } from '../../src/events/listEvents.ts';
import type { Event } from '../../src/events/read.ts';
import { useCluster } from '../support/cluster.ts';
import { database, databaseUrl, newGroup, newUsers } from '../support/harness.ts';
import { until } from '../support/until.ts';

const NODES = 3;
const WRITERS = 6;
const ROUNDS = 12;
const log = pino({ enabled: false });
const source = () => ({ db: database, keptDays: 7 });

/** The rows that a cursor has to find, each in the order within its chat. */
interface Expected {
  readonly id: number;
  readonly chatId: number | null;
  readonly seq: number | null;
}

/** Reads all rows that were written since a cursor was made: those with higher ids than `afterId`. */
const written = (afterId: number): Promise<Expected[]> =>
  database.query<Expected>(
    `
select id, chat_id as "chatId", seq from messages where id > $1
union all
select id, chat_id, (select seq from messages where id = message_id) from events where id > $1
order by id`,
    [afterId],
  );

const newestId = async (): Promise<number> => {
  const [row] = await database.query<{ id: number }>(
    `select coalesce(pg_sequence_last_value('messages_id_seq'), 0) as id`,
    [],
  );
  return row?.id ?? 0;
};

/** Asserts that a reader got everything that was written since, once, and in order within each chat. */
async function assertComplete(events: readonly Event[], afterId: number): Promise<void> {
  const rows = await written(afterId);
  const rowOf = new Map(rows.map((row) => [row.id, row]));
  const ids = events.map(({ eventId }) => eventId);
  expect(ids, 'none twice').to.deep.equal([...new Set(ids)]);
  const found = new Set(ids.map((id) => Math.trunc(Number(id))));
  expect(
    rows.filter(({ id }) => !found.has(id)).map(({ id }) => id),
    'none lost',
  ).to.deep.equal([]);
  expect([...found].filter((id) => !rowOf.has(id))).to.deep.equal([]);

  const heads = new Map<number | null, number>();
  const versions = new Map<unknown, number>();
  for (const { eventId, type, command, seq, state } of events) {
    const chatId = rowOf.get(Math.trunc(Number(eventId)))?.chatId ?? null;
    if (chatId === null) continue;
    const head = heads.get(chatId);
    if (/^(edit|reaction|pin|deletion)$/.test(type)) {
      if (head !== undefined) expect(seq).to.be.at.most(head);
      expect(state.version, `${command} of ${seq}`).to.equal((versions.get(state.messageId) ?? 0) + 1);
      versions.set(state.messageId, state.version as number);
    } else if (seq !== head) {
      if (head !== undefined) expect(seq).to.equal(head + 1);
      heads.set(chatId, seq as number);
    }
  }
}

describe('events of several nodes', function () {
  this.timeout(120_000);
  const cluster = useCluster(NODES - 1);

  /** Lets people on all nodes write and change messages; `between` runs once, in the middle of it. */
  async function writeEverywhere(between: () => Promise<unknown>): Promise<void> {
    const users = await newUsers(WRITERS as number);
    const clients = await Promise.all(users.map((user, index) => cluster.on(user, index % NODES)));
    const [owner] = clients;
    if (!owner) throw new Error('there are no writers');
    const groupId = await newGroup(owner, ...users.slice(1));
    const write = async (index: number, rounds: number) => {
      const client = clients[index] as typeof owner;
      const chats = [{ groupId }, { receiverId: users[(index + 1) % WRITERS]?.id }];
      for (let round = 0; round < rounds; round++) {
        const chat = chats[round % 2] as object;
        const { params } = await client.call(round % 2 ? 'privateMessage' : 'messageInGroup', {
          ...chat,
          content: `${index} ${round}`,
        });
        const messageId = params?.messageId;
        if (messageId === undefined) continue; // the database is away
        await Promise.all([
          client.call('editMessage', { messageId, content: 'edited' }),
          client.call('addReaction', { messageId, emoji: '👍' }),
          ...(round % 4 === 0 ? [client.call('deleteMessage', { messageId })] : []),
          ...(round % 5 === 0 && index === 0
            ? [client.call('updateGroup', { groupId, description: `${round}` })]
            : []),
        ]);
      }
    };
    const all = (rounds: number) => Promise.all(users.map((_, index) => write(index, rounds)));
    const writing = all(ROUNDS);
    await between();
    await writing;
    await all(2);
  }

  /** Reads pages while `work` runs, and what is left after it. */
  async function readWhile(work: Promise<unknown>, start: EventCursor, limit: number): Promise<Event[]> {
    const events: Event[] = [];
    let isWorking = true;
    const done = work.finally(() => {
      isWorking = false;
    });
    for (let cursor = start, more = true; isWorking || more; ) {
      const last = !isWorking;
      const page = await listEvents(source(), { cursor, limit }).catch(() => undefined); // the database is away
      if (page) {
        events.push(...page.events);
        cursor = page.nextCursor;
        more = page.more || page.events.length > 0 || !last;
      } else await delay(50);
    }
    await done;
    return events;
  }

  /** Holds a transaction that has taken an id until the returned function is called. */
  async function holdTransaction(): Promise<() => Promise<void>> {
    const late = await database.sequelize.transaction();
    const insert = `insert into events (type, user_id) values ('userUpdated', 1)`;
    await database.execute(insert, [], late);
    return () => late.commit();
  }

  it('are each found once and in order by every cursor, also those of a transaction that commits late', async () => {
    const afterId = await newestId();
    const start = await cursorFromNow(source());
    let commit = () => Promise.resolve();
    const writing = writeEverywhere(async () => {
      commit = await holdTransaction();
    });
    const lateCommit = writing.then(() => commit());
    const readings = await Promise.all([7, 100].map((limit) => readWhile(lateCommit, start, limit)));
    for (const events of readings) await assertComplete(events, afterId);
    expect(readings[0]?.length).to.be.above(200);
    expect(readings[0]?.some(({ type }) => type === 'deletion')).to.equal(true);
  });

  it('are pushed to a consumer once acknowledged, after its node is killed, by another one', async () => {
    const afterId = await newestId();
    const received: Event[] = [];
    /** Serves the consumer on a node of its own, which can be killed. */
    const serve = async (holder: string) => {
      const db: Database = openDatabase(databaseUrl(), 4);
      let isAlive = true;
      let acknowledging: Promise<void> = Promise.resolve();
      const subscription = await EventSubscription.open(
        { db, keptDays: 7 },
        {
          ...{ consumer: 'backend', holder, log, ended: () => {} },
          push(batch) {
            acknowledging = acknowledging.then(async () => {
              if (!isAlive) return; // never processed
              await subscription.acknowledge(batch.nextCursor);
              received.push(...batch.events); // processed in one transaction with the acknowledgement
            });
          },
        },
      ).catch(async (error) => {
        await db.close();
        throw error;
      });
      return {
        async kill() {
          isAlive = false;
          await acknowledging;
          await db.close(); // nothing is released
          await subscription.close();
        },
        async stop() {
          await subscription.close();
          await db.close();
        },
      };
    };

    await addConsumer(source(), 'backend');
    const first = await serve('one');
    let second: Awaited<ReturnType<typeof serve>> | undefined;
    await writeEverywhere(async () => {
      await until(() => received.length > 20);
      await first.kill();
      await until(async () => {
        second = await serve('two').catch(() => undefined);
        return second !== undefined;
      });
    });
    const expected = (await written(afterId)).length;
    await until(() => new Set(received.map(({ eventId }) => Math.trunc(Number(eventId)))).size >= expected);
    await second?.stop();
    await assertComplete(received, afterId);
  });

  it('are each found once after a restart of PostgreSQL', async () => {
    const afterId = await newestId();
    const start = await cursorFromNow(source());
    const restart = async () => {
      await until(async () => (await newestId()) > afterId + 50);
      const [row] = await database.query<{ pid: number }>(
        `select split_part(pg_read_file('postmaster.pid'), chr(10), 1)::int as pid`,
        [],
      );
      process.kill(row?.pid as number, 'SIGQUIT');
      await until(async () => {
        const [now] = await database
          .query<{ run: string }>('select id as run from database_runs order by noted_at desc limit 1', [])
          .catch(() => []);
        return now !== undefined && now.run !== start.run.split('/')[0];
      });
    };
    const events = await readWhile(writeEverywhere(restart), start, 20);
    await assertComplete(events, afterId);
  });
});
