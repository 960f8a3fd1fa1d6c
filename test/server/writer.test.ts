import { expect } from 'chai';
import pg from 'pg';
import { pino } from 'pino';
import { ConnectionLostError, NotConnectedError } from '../../src/database/failures.ts';
import type { ChatId } from '../../src/ids.ts';
import { defaultLimits } from '../../src/limits.ts';
import { createDialogDirectory } from '../../src/messages/dialogs.ts';
import type { MessageDraft, MessageExtras, StoredMessage } from '../../src/messages/drafts.ts';
import { MessageWriter } from '../../src/messages/MessageWriter.ts';
import type { WriteAnswer } from '../../src/messages/WriterQueue.ts';
import { ApiError } from '../../src/protocol/errors.ts';
import { database, newClients, newGroup, newUsers, type User } from '../support/harness.ts';
import { id } from '../support/ids.ts';
import { until } from '../support/until.ts';

describe('the writer of messages', () => {
  it('writes about 64 Ki characters at most in one statement, and keeps the order', async () => {
    const [ada, bob] = await newUsers(2);
    const batches: number[] = [];
    const hooks = {
      batchWritten: (drafts: readonly { content: string }[]) =>
        void batches.push(drafts.reduce((sum, { content }) => sum + content.length, 0)),
      publish: (_: unknown, __: unknown, reply: () => void) => reply(),
      outcomeUnknown() {},
    };
    const log = pino({ level: 'silent' });
    const writer = new MessageWriter(database, createDialogDirectory(database), hooks, log, defaultLimits);
    const content = '\\"'.repeat(2000);
    const to = { receiverId: bob.id };
    const seqs = await Promise.all(
      Array.from(
        { length: 100 },
        () =>
          new Promise((resolve, reject) => {
            writer.write({ senderId: ada.id, to, kind: 'text', content, origin: id(0) }, (outcome) =>
              'stored' in outcome ? resolve(outcome.stored.seq) : reject(outcome.error),
            );
          }),
      ),
    );
    expect(seqs).to.deep.equal(Array.from({ length: 100 }, (_, n) => n + 1));
    expect(Math.max(...batches)).to.be.at.most(64 * 1024 + content.length);
    expect(batches.length).to.be.at.least(6);
  });
});

type Outcome = Parameters<WriteAnswer>[0];
type Query = typeof database.writer.query;
interface Options {
  readonly query?: Query;
  publish?(draft: MessageDraft, stored: StoredMessage, reply: () => void): void;
}

/** A writer on the database of the file, and the number of messages in each of its committed batches. */
function newWriting({ query = database.writer.query, publish = (_, __, reply) => reply() }: Options = {}) {
  const batches: number[] = [];
  const hooks = {
    batchWritten: (drafts: readonly unknown[]) => void batches.push(drafts.length),
    publish,
    outcomeUnknown() {},
  };
  const db = { ...database, writer: { ...database.writer, query } };
  const log = pino({ level: 'silent' });
  const writer = new MessageWriter(db, createDialogDirectory(db), hooks, log, defaultLimits);
  const send = (
    { id: senderId }: Pick<User, 'id'>,
    to: MessageDraft['to'],
    content: string,
    answer: WriteAnswer,
    clientMessageId?: string,
    extras?: MessageExtras,
  ) => writer.write({ senderId, to, kind: 'text', content, clientMessageId, extras, origin: id(0) }, answer);
  /** Messages that are written without an await in between are one batch. */
  const write = (by: User, to: MessageDraft['to'], content: string, clientMessageId?: string) =>
    new Promise<Outcome>((resolve) => send(by, to, content, resolve, clientMessageId));
  /** The same of a message with `ifSeq`. */
  const writeIf = (ifSeq: number, by: User, to: MessageDraft['to'], clientMessageId?: string) =>
    new Promise<Outcome>((resolve) => send(by, to, 'if', resolve, clientMessageId, { ifSeq }));
  return { batches, send, write, writeIf };
}

/** Returns the `seq` of a stored message, or the code of its refusal. */
function seqOrCode(outcome: Outcome): number | string {
  if ('stored' in outcome) return outcome.stored.seq;
  return outcome.error instanceof ApiError ? outcome.error.code : 'FAILED';
}

describe('messages in one batch', () => {
  it('are refused in slow mode after the first of a member, and not those of the owner and of admins', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob, cleo);
    await ada.client.done('setMemberRole', { groupId, userId: cleo.id, role: 'admin' });
    await ada.client.done('updateGroup', { groupId, slowModeSeconds: 30 });
    const { batches, write } = newWriting();
    const senders = [bob, ada, cleo, bob, ada, cleo, bob];
    const outcomes = await Promise.all(senders.map((one) => write(one, { groupId }, 'now')));
    expect(batches).to.deep.equal([7]);
    expect(outcomes.map(seqOrCode)).to.deep.equal([6, 7, 8, 'RATE_LIMITED', 9, 10, 'RATE_LIMITED']);
    expect(outcomes.at(-1)).to.have.nested.property('error.retryAfter', 30);
  });

  it('in slow mode count for their group and their member only', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const groups = [await newGroup(ada.client, bob, cleo), await newGroup(ada.client, bob, cleo)];
    for (const groupId of groups) await ada.client.done('updateGroup', { groupId, slowModeSeconds: 30 });
    const { batches, write } = newWriting();
    const sends = groups.flatMap((groupId) => [bob, cleo].map((one) => write(one, { groupId }, 'now')));
    expect((await Promise.all(sends)).map(seqOrCode)).to.deep.equal([5, 6, 5, 6]);
    expect(batches).to.deep.equal([4]);
  });

  it('are tried themselves if they repeat a message that was refused', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client);
    const { batches, write } = newWriting();
    const outcomes = await Promise.all([
      write(bob, { groupId }, 'not a member', 'once'),
      write(bob, { receiverId: ada.id }, 'to her', 'once'),
      write(bob, { groupId }, 'still no member', 'once'),
      write(bob, { receiverId: ada.id }, 'to her', 'once'),
    ]);
    expect(outcomes.map(seqOrCode)).to.deep.equal(['NOT_A_MEMBER', 1, 'CONFLICT', 1]);
    expect(batches).to.deep.equal([1, 1]);
  });

  it('are answered and published although the publishing of one of them fails', async () => {
    const [ada, bob] = await newUsers(2);
    const published: string[] = [];
    const { batches, write } = newWriting({
      publish({ content }, _, reply) {
        if (content === 'fails') throw new Error('a fault');
        published.push(content);
        reply();
      },
    });
    const to = { receiverId: bob.id };
    const [first, , third] = ['first', 'fails', 'third'].map((content) => write(ada, to, content));
    expect(await first).to.have.nested.property('stored.seq', 1);
    expect(await third).to.have.nested.property('stored.seq', 3);
    expect(await write(ada, to, 'later')).to.have.nested.property('stored.seq', 4);
    expect(published).to.deep.equal(['first', 'third', 'later']);
    expect(batches).to.deep.equal([3, 1]);
  });

  for (const [what, query] of [
    ['stored', () => database.writer.query],
    ['failed', unavailable],
  ] as const)
    it(`are answered, with their repeats, although the answer to one of them fails: ${what}`, async () => {
      const [ada, bob] = await newUsers(2);
      const { send, write } = newWriting({ query: query() });
      const to = { receiverId: bob.id };
      send(ada, to, 'fails', () => throws(), 'once');
      const others = await Promise.all([write(ada, to, 'fails', 'once'), write(ada, to, 'second')]);
      const expected = what === 'stored' ? [1, 2] : ['FAILED', 'FAILED'];
      expect(others.map(seqOrCode)).to.deep.equal(expected);
      expect(await write(ada, to, 'later')).to.have.property('stored');
    });

  it('keep their order in the chat when one of them has to be checked again', async () => {
    const [ada] = await newClients(1);
    const groupId = await newGroup(ada.client);
    const later: Promise<Outcome>[] = [];
    let runs = 0;
    const { batches, write } = newWriting({
      async query(config) {
        if (runs++ > 0) return database.writer.query(config);
        later.push(write(ada, { groupId }, 'arrives in the meantime'));
        return database.writer.query({ text: staleRow });
      },
    });
    const first = await write(ada, { groupId }, 'first');
    expect([first, ...(await Promise.all(later))].map(seqOrCode)).to.deep.equal([2, 3]);
    expect(batches).to.deep.equal([1, 2]);
  });

  it('are written one by one after a failure, in their order, and only the one at fault fails', async () => {
    const [ada] = await newClients(1);
    const groupId = await newGroup(ada.client);
    let isStale = true;
    const { batches, write } = newWriting({
      async query(config) {
        const contents = config.values?.[4] as string[];
        if (contents.includes('bad'))
          throw Object.assign(new pg.DatabaseError('x', 1, 'error'), { code: '22000' });
        if (!isStale) return database.writer.query(config);
        isStale = false; // the first message that is alone
        return database.writer.query({ text: staleRow });
      },
    });
    const contents = ['first', 'bad', 'third'];
    const outcomes = await Promise.all(contents.map((content) => write(ada, { groupId }, content)));
    expect(outcomes.map(seqOrCode)).to.deep.equal([2, 'FAILED', 3]);
    expect(batches).to.deep.equal([1, 1, 1]);
  });
});

describe('messages with ifSeq', () => {
  it('are stored in one batch if they are in different chats, known or not', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob);
    const { batches, writeIf } = newWriting();
    const outcomes = await Promise.all([
      writeIf(2, bob, { groupId }),
      writeIf(0, bob, { receiverId: cleo.id }),
      writeIf(0, bob, { receiverId: ada.id }),
    ]);
    expect(outcomes.map(seqOrCode)).to.deep.equal([3, 1, 1]);
    expect(batches).to.deep.equal([3]);
  });

  it('are decided in one batch if they are the same for one chat, and the first that may be stored is', async () => {
    const [ada, bob, eve] = await newClients(3);
    const groupId = await newGroup(ada.client, bob);
    const { batches, writeIf } = newWriting();
    const senders = [eve, bob, ada, bob];
    const outcomes = await Promise.all(senders.map((one) => writeIf(2, one, { groupId })));
    expect(outcomes.map(seqOrCode)).to.deep.equal(['NOT_A_MEMBER', 3, 'CONFLICT', 'CONFLICT']);
    for (const refused of outcomes.slice(2)) expect(refused).to.have.nested.property('error.seq', 3);
    expect(batches).to.deep.equal([4]);
  });

  it('leave no gap when they are refused, before and after messages without it', async () => {
    const [ada, bob] = await newUsers(2);
    const { write, writeIf } = newWriting();
    const to = { receiverId: bob.id };
    const outcomes = await Promise.all([
      write(ada, to, 'first'),
      writeIf(0, ada, to),
      write(bob, { receiverId: ada.id }, 'second'),
      writeIf(1, ada, to),
      writeIf(2, ada, to),
      write(ada, to, 'fourth'),
    ]);
    expect(outcomes.map(seqOrCode)).to.deep.equal([1, 'CONFLICT', 2, 'CONFLICT', 3, 4]);
    expect(outcomes[3]).to.have.nested.property('error.seq', 2);
  });

  it('are refused in slow mode for their ifSeq if none of the batch is stored', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('updateGroup', { groupId, slowModeSeconds: 30 });
    const { batches, writeIf } = newWriting();
    const outcomes = await Promise.all([1, 1].map((ifSeq) => writeIf(ifSeq, bob, { groupId })));
    expect(outcomes.map(seqOrCode)).to.deep.equal(['CONFLICT', 'CONFLICT']);
    expect(
      (await Promise.all([3, 3].map((ifSeq) => writeIf(ifSeq, bob, { groupId })))).map(seqOrCode),
    ).to.deep.equal([4, 'CONFLICT']);
    expect(seqOrCode(await writeIf(4, bob, { groupId }))).to.equal('RATE_LIMITED');
    expect(batches).to.deep.equal([2, 2, 1]);
  });

  /** Runs a statement right before the batch statement gets the lock on the chat, once it has checked its messages. */
  async function whileLocked(groupId: ChatId, write: () => Promise<Outcome>, statements: readonly string[]) {
    const other = await database.dedicated();
    try {
      await other.query('begin');
      await other.query(`select from chats where id = ${groupId} for update`);
      const outcome = write();
      await until(async () => (await database.query(waitingForLock, [])).length > 0);
      for (const statement of statements) await other.query(statement);
      await other.query('commit');
      return await outcome;
    } finally {
      await other.end();
    }
  }

  const stores = (groupId: ChatId, senderId: number, seq: number, clientMessageId: string) => [
    `insert into messages (chat_id, seq, sender_id, kind, content, client_message_id, tally)
     values (${groupId}, ${seq}, ${senderId}, 'text', 'if', '${clientMessageId}', 0)`,
    `update chats set last_seq = ${seq} where id = ${groupId}`,
  ];

  it('are decided by what is stored when the lock is acquired', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const { batches, writeIf } = newWriting();
    const late = await whileLocked(
      groupId,
      () => writeIf(2, bob, { groupId }),
      stores(groupId, ada.id, 3, 'a'),
    );
    expect(seqOrCode(late)).to.equal('CONFLICT');
    expect(late).to.have.nested.property('error.seq', 3);
    const next = await whileLocked(
      groupId,
      () => writeIf(4, bob, { groupId }),
      stores(groupId, ada.id, 4, 'b'),
    );
    expect(seqOrCode(next)).to.equal(5);
    expect(batches).to.deep.equal([1, 1]);
  });

  it('are answered with the message if another node has stored the same one before the lock is acquired', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const { batches, writeIf } = newWriting();
    const again = () => writeIf(2, bob, { groupId }, 'claim');
    const outcome = await whileLocked(groupId, again, stores(groupId, bob.id, 3, 'claim'));
    expect(outcome).to.deep.nested.include({ 'stored.seq': 3, 'stored.repeated': true });
    expect(batches).to.deep.equal([1, 1]); // it was checked again
    const other = () => writeIf(3, bob, { groupId }, 'other');
    const refused = await whileLocked(groupId, other, stores(groupId, ada.id, 4, 'a'));
    expect(refused).to.have.nested.property('error.seq', 4);
    expect(batches).to.deep.equal([1, 1, 1, 1]);
  });

  it('are checked again, and not refused, if the rules change before the lock is acquired', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const { writeIf } = newWriting();
    const change = [`update chats set rules_version = rules_version + 1 where id = ${groupId}`];
    expect(seqOrCode(await whileLocked(groupId, () => writeIf(2, bob, { groupId }), change))).to.equal(3);
  });
});

const waitingForLock = `select from pg_locks where not granted and locktype = 'transactionid'`;

/** The answer of the batch statement to a message whose chat has other rules since it was checked. */
const staleRow = `select 'STALE' as refusal, null::int as slow_for, null::bigint as permit, null as run`;

function throws(): never {
  throw new Error('a fault of the receiver');
}

/** Returns a query that has no connection to the database the first time. */
function unavailable(): Query {
  let isAway = true;
  return async (config) => {
    if (!isAway || !config.name) return database.writer.query(config);
    isAway = false;
    throw new ConnectionLostError(new Error('read ECONNRESET'));
  };
}

describe('the connection of the writer', () => {
  it('continues when a concurrent migration changes the type of a column', async () => {
    await database.execute('create table changing (name text)', []);
    try {
      await database.execute(`insert into changing values ('1')`, []);
      const read = () => database.writer.query({ name: 'readChanging', text: 'select name from changing' });
      expect(await read()).to.deep.equal([{ name: '1' }]);
      await database.execute('alter table changing alter name type int using name::int', []);
      expect(await read()).to.deep.equal([{ name: 1 }]);
    } finally {
      await database.execute('drop table changing', []);
    }
  });
});

describe('a batch that fails', () => {
  /** Writes two messages for which the database fails with `error`; counts queries and unknown outcomes. */
  async function failing(error: Error): Promise<{ queries: number; unknown: number }> {
    const counts = { queries: 0, unknown: 0 };
    const query = async () => {
      counts.queries++;
      throw error;
    };
    const hooks = {
      batchWritten() {},
      publish() {},
      outcomeUnknown: (drafts: readonly unknown[]) => {
        counts.unknown += drafts.length;
      },
    };
    const dialogs = {
      chatOf: () => id<ChatId>(1),
      known: (drafts: readonly unknown[]) => drafts.map(() => id<ChatId>(1)),
      find: async () => [],
    };
    const log = pino({ level: 'silent' });
    const writer = new MessageWriter(
      { ...database, writer: { ...database.writer, query } },
      dialogs,
      hooks,
      log,
      defaultLimits,
    );
    await Promise.all(
      [1, 2].map(
        (senderId) =>
          new Promise((resolve) =>
            writer.write(
              { senderId: id(senderId), to: { groupId: id(1) }, kind: 'text', content: 'x', origin: id(0) },
              resolve,
            ),
          ),
      ),
    );
    return counts;
  }

  const refusal = (code: string) => Object.assign(new pg.DatabaseError('failed', 6, 'error'), { code });

  for (const code of ['25006', '25P03', '53100', '57014'])
    it(`is known not to be stored when PostgreSQL refused it with ${code}`, async () => {
      expect(await failing(refusal(code))).to.deep.equal({ queries: 1, unknown: 0 });
    });

  it('is not written again when its outcome is unknown: PostgreSQL closed the connection', async () => {
    expect(await failing(refusal('57P01'))).to.deep.equal({ queries: 1, unknown: 2 });
  });

  it('is not written again when its outcome is unknown: the connection broke', async () => {
    const error = new ConnectionLostError(new Error('read ECONNRESET'));
    expect(await failing(error)).to.deep.equal({ queries: 1, unknown: 2 });
  });

  for (const code of ['40001', '40P01'])
    it(`is written again, and not reported as of unknown outcome, after a conflict with another transaction: ${code}`, async () => {
      const { queries, unknown } = await failing(refusal(code));
      expect(queries).to.be.above(2);
      expect(unknown).to.equal(0);
    });

  it('is known not to be stored when there was no connection', async () => {
    const error = new NotConnectedError(new Error('connect ECONNREFUSED'));
    expect(await failing(error)).to.deep.equal({ queries: 1, unknown: 0 });
  });
});
