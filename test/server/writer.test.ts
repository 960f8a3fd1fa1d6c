import { expect } from 'chai';
import pg from 'pg';
import { pino } from 'pino';
import { ConnectionLostError, NotConnectedError } from '../../src/database/failures.ts';
import type { ChatId } from '../../src/ids.ts';
import { defaultLimits } from '../../src/limits.ts';
import { createDialogDirectory } from '../../src/messages/dialogs.ts';
import { MessageWriter } from '../../src/messages/MessageWriter.ts';
import { database, newUsers } from '../support/harness.ts';
import { id } from '../support/ids.ts';

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
