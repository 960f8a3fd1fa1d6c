import { expect } from 'chai';
import type { MessageDraft } from '../../src/messages/drafts.ts';
import { Permits } from '../../src/messages/Permits.ts';
import { id } from '../support/ids.ts';

type Addressed = Pick<MessageDraft, 'senderId' | 'to'>;

const inGroup = (sender: number): Addressed => ({ senderId: id(sender), to: { groupId: id(1) } });
const inDialog = (sender: number): Addressed => ({ senderId: id(sender), to: { receiverId: id(9) } });
const origin = { run: 'first', rulesVersion: 3 };

describe('Permits', () => {
  it('has the senders of a chat that were found under the same version of its rules', () => {
    const permits = new Permits();
    for (const sender of [1, 2]) permits.keep(id(1), inGroup(sender), origin);
    expect([1, 2, 3].map((sender) => permits.has(id(1), inGroup(sender)))).to.deep.equal([true, true, false]);
    expect(permits.has(id(2), inGroup(1))).to.equal(false);
    expect([permits.versionOf(id(1)), permits.versionOf(id(2)), permits.run]).to.deep.equal([
      3,
      undefined,
      'first',
    ]);
  });

  it('drops the senders of a chat with another version of its rules, a lower one as well, and no others', () => {
    const permits = new Permits();
    for (const rulesVersion of [4, 2]) {
      for (const chat of [1, 2]) permits.keep(id(chat), inGroup(1), origin);
      permits.keep(id(1), inGroup(2), { ...origin, rulesVersion });
      expect([1, 2].map((sender) => permits.has(id(1), inGroup(sender)))).to.deep.equal([false, true]);
      expect(permits.versionOf(id(1))).to.equal(rulesVersion);
      expect(permits.has(id(2), inGroup(1))).to.equal(true);
    }
  });

  it('drops everything with another run of the database', () => {
    const permits = new Permits();
    for (const chat of [1, 2]) permits.keep(id(chat), inGroup(1), origin);
    permits.keep(id(2), inGroup(2), { ...origin, run: 'second' });
    expect(permits.run).to.equal('second');
    expect(permits.has(id(1), inGroup(1))).to.equal(false);
    expect(permits.has(id(2), inGroup(1))).to.equal(false);
    expect(permits.has(id(2), inGroup(2))).to.equal(true);
  });

  it('has no permit for a message that addresses a dialog as a group, or a group as a user', () => {
    const permits = new Permits();
    permits.keep(id(1), inGroup(1), origin);
    permits.keep(id(2), inDialog(1), origin);
    expect(permits.has(id(1), inDialog(1))).to.equal(false);
    expect(permits.has(id(2), inGroup(1))).to.equal(false);
    expect(permits.has(id(2), inDialog(1))).to.equal(true);
  });

  it('drops the first of more than a thousand senders of a chat', () => {
    const permits = new Permits();
    for (let sender = 1; sender <= 1_001; sender++) permits.keep(id(1), inGroup(sender), origin);
    const known = [1, 2, 1_000, 1_001].map((sender) => permits.has(id(1), inGroup(sender)));
    expect(known).to.deep.equal([false, true, true, true]);
  });

  it('drops the senders of one chat on request', () => {
    const permits = new Permits();
    for (const chat of [1, 2]) permits.keep(id(chat), inGroup(1), origin);
    permits.delete(id(1));
    expect([1, 2].map((chat) => permits.has(id(chat), inGroup(1)))).to.deep.equal([false, true]);
  });
});
