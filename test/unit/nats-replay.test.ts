import { expect } from 'chai';
import { Unconfirmed } from '../../src/bus/nats/Confirmations.ts';
import { RecentPublications } from '../../src/bus/nats/RecentPublications.ts';
import { id } from '../support/ids.ts';

const TOPIC = 'user:1';

/** Sends the pending publications; returns their numbers. */
function sendAll(recent: RecentPublications): number[] {
  const numbers: number[] = [];
  for (let next = recent.shift(); next; next = recent.shift())
    numbers.push('origin' in next.message && next.message.origin ? next.message.origin.number : -1);
  return numbers;
}

describe('the replay buffer of a node', () => {
  it('sends publications in the order of their numbers, and again after it is rewound', () => {
    const recent = new RecentPublications('a');
    for (let n = 0; n < 5; n++) recent.add(TOPIC, { frame: `${n}` });
    expect(sendAll(recent)).to.deep.equal([0, 1, 2, 3, 4]);
    recent.rewind(3);
    recent.add(TOPIC, { frame: '5' });
    expect(recent.sent).to.equal(5);
    expect(sendAll(recent)).to.deep.equal([3, 4, 5]);
    recent.restart(1);
    expect(sendAll(recent)).to.deep.equal([1, 2, 3, 4, 5]);
  });

  it('keeps a bounded number of publications', () => {
    const recent = new RecentPublications('a', 10);
    for (let n = 0; n < 25; n++) recent.add(TOPIC, { frame: `${n}` });
    expect(recent.position).to.deep.equal({ from: 0, oldest: 15, next: 25 });
    expect(recent.hasGap).to.equal(true);
    recent.skipGap();
    expect(sendAll(recent)).to.deep.equal([15, 16, 17, 18, 19, 20, 21, 22, 23, 24]);
  });

  it('keeps a bounded number of bytes, however large the publications are', () => {
    const recent = new RecentPublications('a');
    const frame = 'x'.repeat(24_000);
    for (let n = 0; n < 5_022; n++) recent.add(TOPIC, { frame });
    expect(recent.bytes).to.be.at.most(16 * 1024 * 1024);
    const { oldest, next } = recent.position;
    expect((next - oldest) * frame.length * 2).to.be.within(15 * 1024 * 1024, 16 * 1024 * 1024);
  });

  it('does not rewind to publications that it has dropped', () => {
    const recent = new RecentPublications('a', 10);
    for (let n = 0; n < 25; n++) {
      recent.add(TOPIC, { frame: `${n}` });
      recent.shift();
    }
    recent.rewind(14);
    expect(sendAll(recent)).to.deep.equal([]);
    recent.rewind(15);
    expect(sendAll(recent)).to.have.length(10);
  });
});

describe('the publications that NATS has not confirmed', () => {
  it('have the newest position of each chat, for all topics of a chat and all chats of a topic', () => {
    const older = new Unconfirmed();
    older.addHead('user:1', { chatId: id(8), seq: 2 });
    older.addHead('user:2', { chatId: id(8), seq: 2 });
    const newer = new Unconfirmed();
    newer.addHead('user:1', { chatId: id(9), seq: 5 });
    newer.addHead('user:1', { chatId: id(8), seq: 3 });
    newer.addAll(older);
    expect([...newer.heads()]).to.have.deep.members([
      { topic: 'user:1', head: { chatId: 9, seq: 5 } },
      { topic: 'user:1', head: { chatId: 8, seq: 3 } },
      { topic: 'user:2', head: { chatId: 8, seq: 3 } },
    ]);
    expect(newer.needsReconcile).to.equal(false);
  });

  it('make other nodes read the database when heads are not enough', () => {
    const full = new Unconfirmed(2);
    for (let chatId = 1; chatId <= 3; chatId++) full.addHead('user:1', { chatId: id(chatId), seq: 1 });
    expect([...full.heads()]).to.have.length(2);
    const signal = new Unconfirmed();
    signal.addSignal();
    const both = new Unconfirmed();
    expect(both.needsReconcile).to.equal(false);
    both.addAll(signal);
    signal.addAll(new Unconfirmed());
    expect([full, signal, both].map(({ needsReconcile }) => needsReconcile)).to.deep.equal([
      true,
      true,
      true,
    ]);
  });
});
