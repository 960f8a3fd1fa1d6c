import { expect } from 'chai';
import type { PushMessage } from '../../src/bus/bus.ts';
import { ChatSequence, HoldBudget } from '../../src/bus/ChatSequence.ts';
import { delayBeforeFilling, GapPlan } from '../../src/bus/GapPlan.ts';
import type { ChatId, ConnectionId } from '../../src/ids.ts';
import { id } from '../support/ids.ts';

const CHAT: ChatId = id(7);

/** A plan for a chat that was delivered up to a message, and what it delivers. */
function begin(last: number | undefined, snapshot = '10:20:') {
  const delivered: PushMessage[] = [];
  const sequence = new ChatSequence<PushMessage>(last, (push) => delivered.push(push), new HoldBudget(1_000));
  return { sequence, delivered, plan: new GapPlan(CHAT, sequence, snapshot) };
}

const read = (from: number, to: number, frame = 'x') =>
  Array.from({ length: to - from + 1 }, (_, index) => ({ seq: from + index, frame }));

describe('the plan to fill a gap', () => {
  it('waits a moment for late publications, unless it is urgent or no node can be reached', () => {
    expect(delayBeforeFilling(false, true)).to.equal(100);
    expect(delayBeforeFilling(true, true)).to.equal(0);
    expect(delayBeforeFilling(false, false)).to.equal(0);
  });

  it('has nothing to do where nothing is missing', () => {
    const { plan } = begin(3);
    expect(plan.next()).to.equal(undefined);
    expect(plan.delayToNext(false)).to.equal(undefined);
  });

  it('reads a gap page by page, and is done at its end', () => {
    const { plan, sequence, delivered } = begin(0);
    sequence.raise(300);
    expect(plan.next()).to.deep.equal({ kind: 'readMessages', from: 1, to: 250 });
    plan.messagesRead(read(1, 250), 250);
    expect(plan.delayToNext(false)).to.equal(0);
    expect(plan.next()).to.deep.equal({ kind: 'readMessages', from: 251, to: 300 });
    plan.messagesRead(read(251, 300), 300);
    expect(plan.delayToNext(false)).to.equal(undefined);
    expect(delivered).to.have.length(300);
  });

  it('delivers what is read with its position, and without the connection that has a reply', () => {
    const { plan, sequence, delivered } = begin(4);
    sequence.raise(6);
    plan.exclude(6, 9 as ConnectionId);
    plan.messagesRead(read(5, 6), 6);
    expect(delivered).to.deep.equal([
      { frame: 'x', position: { chatId: CHAT, seq: 5 }, except: undefined },
      { frame: 'x', position: { chatId: CHAT, seq: 6 }, except: 9 },
    ]);
  });

  it('reads the newest message first when it is required', () => {
    const { plan } = begin(3);
    plan.requireHead();
    expect(plan.delayToNext(false)).to.equal(0);
    expect(plan.next()).to.deep.equal({ kind: 'readHead' });
    plan.headRead(5);
    expect(plan.next()).to.deep.equal({ kind: 'readMessages', from: 4, to: 5 });
  });

  it('is done when the newest message was delivered', () => {
    const { plan } = begin(3);
    plan.requireHead();
    plan.headRead(3);
    expect(plan.next()).to.equal(undefined);
    expect(plan.delayToNext(false)).to.equal(undefined);
  });

  it('asks the snapshot where a chat begins of which that is not known', () => {
    const { plan, sequence } = begin(undefined);
    sequence.raise(9);
    expect(plan.next()).to.deep.equal({ kind: 'readStart', snapshot: '10:20:' });
    plan.startRead(7);
    expect(plan.next()).to.deep.equal({ kind: 'readMessages', from: 8, to: 9 });
  });

  it('gives up a chat whose beginning is too far back, up to its newest message', () => {
    const { plan, sequence } = begin(undefined);
    sequence.raise(9);
    plan.startRead(undefined);
    expect(plan.next()).to.deep.equal({ kind: 'readHead' });
    plan.headRead(12);
    expect(plan.next()).to.deep.equal({ kind: 'giveUp', to: 12, missing: 12 });
    plan.giveUp(12);
    expect(sequence.last).to.equal(12);
    expect(plan.delayToNext(false)).to.equal(undefined);
  });

  it('waits a second after a failure, and takes the same step again', () => {
    const { plan, sequence } = begin(0);
    sequence.raise(2);
    const step = plan.next();
    expect(plan.delayToNext(true)).to.equal(1_000);
    expect(plan.next()).to.deep.equal(step);
  });

  it('does not wait after a failure that has left no gap', () => {
    const { plan, sequence } = begin(0);
    sequence.take(1, { frame: '1' }); // it arrived meanwhile
    expect(plan.delayToNext(true)).to.equal(undefined);
  });

  it('gives up a gap of more than 5,000 messages', () => {
    const { plan, sequence } = begin(10);
    sequence.raise(5_010);
    expect(plan.next()).to.have.property('kind', 'readMessages');
    sequence.raise(5_011);
    expect(plan.next()).to.deep.equal({ kind: 'giveUp', to: 5_011, missing: 5_001 });
  });

  it('gives up a gap that grows while it is filled', () => {
    const { plan, sequence } = begin(0);
    for (let seq = 1; seq <= 5_000; seq += 250) {
      sequence.raise(seq + 249);
      plan.messagesRead(read(seq, seq + 249), seq + 249);
    }
    sequence.raise(5_001);
    expect(plan.next()).to.deep.equal({ kind: 'giveUp', to: 5_001, missing: 1 });
  });

  it('gives up a gap of more than 4 MiB', () => {
    const { plan, sequence } = begin(0);
    sequence.raise(3);
    plan.messagesRead([{ seq: 1, frame: 'x'.repeat(4 * 1024 * 1024) }], 1);
    expect(plan.next()).to.have.property('kind', 'readMessages');
    plan.messagesRead(read(2, 2), 2);
    expect(plan.next()).to.deep.equal({ kind: 'giveUp', to: 3, missing: 1 });
  });

  it('skips messages that the record does not have', () => {
    const { plan, sequence, delivered } = begin(0);
    sequence.raise(4);
    plan.messagesRead(read(2, 2), 4);
    expect(delivered.map(({ position }) => position?.seq)).to.deep.equal([2]);
    expect(plan.delayToNext(false)).to.equal(undefined);
  });
});
