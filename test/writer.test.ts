import { expect } from 'chai';
import { pino } from 'pino';
import { defaultLimits } from '../src/limits.ts';
import { createDialogDirectory } from '../src/messages/dialogs.ts';
import { MessageWriter } from '../src/messages/MessageWriter.ts';
import { database, newUsers } from './harness.ts';

describe('the writer of messages', () => {
  it('writes no more than 64 Ki letters in one statement, give or take a message, and keeps the order', async () => {
    const [ada, bob] = await newUsers(2);
    const batches: number[] = [];
    const observer = {
      batchWritten: (drafts: readonly { content: string }[]) =>
        void batches.push(drafts.reduce((sum, { content }) => sum + content.length, 0)),
      messageStored: (_: unknown, __: unknown, reply: () => void) => reply(),
      outcomeUnknown() {},
    };
    const log = pino({ level: 'silent' });
    const writer = new MessageWriter(database, createDialogDirectory(database), observer, log, defaultLimits);
    const content = '\\"'.repeat(2000);
    const to = { receiverId: bob.id };
    const seqs = await Promise.all(
      Array.from(
        { length: 100 },
        () =>
          new Promise((resolve, reject) => {
            writer.write({ senderId: ada.id, to, kind: 'text', content, origin: 0 }, (outcome) =>
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
