import { expect } from 'chai';
import { ChatSequence, HoldBudget } from '../../src/bus/ChatSequence.ts';

interface Item {
  readonly seq: number;
  readonly frame: string;
}
const item = (seq: number, frame = `${seq}`): Item => ({ seq, frame });

/** A sequence with the messages and calls that it has delivered so far. */
function begin(last: number | undefined, budget = new HoldBudget(1_000)) {
  const events: (number | string)[] = [];
  const sequence = new ChatSequence<Item>(last, ({ seq }) => events.push(seq), budget);
  const take = (...seqs: number[]) => {
    for (const seq of seqs) sequence.take(seq, item(seq));
  };
  return { sequence, events, take };
}

describe('ChatSequence', () => {
  it('delivers in the order of seq, each message once, in whatever order messages arrive', () => {
    const { events, take, sequence } = begin(3);
    take(4, 6, 7, 4, 3, 5, 6, 8);
    expect(events).to.deep.equal([4, 5, 6, 7, 8]);
    expect(sequence.gap).to.equal(undefined);
  });

  it('returns the gap before the held messages, or up to the highest known seq of the chat', () => {
    const { sequence, take } = begin(3);
    take(9);
    expect(sequence.gap).to.deep.equal({ from: 4, to: 8 });
    sequence.raise(12);
    sequence.fill(
      [4, 5, 6, 7, 8].map((seq) => [seq, item(seq)]),
      8,
    );
    expect(sequence.last).to.equal(9);
    expect(sequence.gap).to.deep.equal({ from: 10, to: 12 });
  });

  it('calls the functions that wait for a message right after it, before the next held message', () => {
    const { sequence, events, take } = begin(9);
    take(11, 12);
    sequence.after(10, () => events.push('after 10'));
    sequence.after(9, () => events.push('at once'));
    take(10);
    expect(events).to.deep.equal(['at once', 10, 'after 10', 11, 12]);
  });

  it('calls waiting functions in the order of seq, also those that are added within such a call', () => {
    const { sequence, events } = begin(9);
    for (const seq of [12, 10, 11, 10])
      sequence.after(seq, () => {
        events.push(seq);
        if (seq === 10) sequence.after(12, () => events.push('later'));
      });
    sequence.skipTo(11);
    expect(events).to.deep.equal([10, 10, 11]);
    sequence.skipTo(12);
    expect(events).to.deep.equal([10, 10, 11, 12, 'later', 'later']);
  });

  it('keeps the order when a message arrives while the database is read', () => {
    const { sequence, events, take } = begin(0);
    take(4);
    take(1, 2);
    sequence.fill(
      [1, 2, 3].map((seq) => [seq, item(seq)]),
      3,
    );
    expect(events).to.deep.equal([1, 2, 3, 4]);
  });

  it('holds all messages until its first seq is known', () => {
    const { sequence, events, take } = begin(undefined);
    take(7, 6, 5);
    expect(sequence.hasGap).to.equal(true);
    expect(sequence.gap).to.equal(undefined);
    sequence.begin(5);
    expect(events).to.deep.equal([6, 7]);
    expect(sequence.hasGap).to.equal(false);
  });

  it('keeps its beginning once that is known', () => {
    const { sequence, events, take } = begin(5);
    sequence.begin(9);
    expect(sequence.last).to.equal(5);
    take(6);
    expect(events).to.deep.equal([6]);
  });

  it('begins behind what the database returns while its first seq is unknown, and delivers none of that', () => {
    const { sequence, events } = begin(undefined);
    sequence.fill([[5, item(5)]], 6);
    expect([sequence.last, events]).to.deep.equal([6, []]);
  });

  it('calls what waits for a message as soon as the first seq is known and not below it', () => {
    const { sequence, events } = begin(undefined);
    sequence.after(0, () => events.push('after 0'));
    expect(events).to.deep.equal([]);
    sequence.begin(0);
    expect(events).to.deep.equal(['after 0']);
  });

  it('has a gap up to the lowest of the held messages, in whatever order they arrived', () => {
    const { sequence, take } = begin(3);
    take(9, 7, 8);
    expect(sequence.gap).to.deep.equal({ from: 4, to: 6 });
  });

  it('does not go back', () => {
    const { sequence, events, take } = begin(5);
    sequence.skipTo(3);
    sequence.raise(2);
    expect([sequence.last, sequence.hasGap]).to.deep.equal([5, false]);
    take(4, 5, 6);
    expect(events).to.deep.equal([6]);
  });

  it('holds nothing for repeats and for messages that were skipped', () => {
    const budget = new HoldBudget(5);
    const { sequence, events, take } = begin(4, budget);
    take(4, 5, 5, 3);
    take(8, 8, 9, 11);
    expect(budget.take(2)).to.equal(false); // three characters are held, of 8, 9 and 11
    sequence.skipTo(9);
    expect(budget.take(3)).to.equal(true);
    expect(events).to.deep.equal([5]);
    expect(sequence.gap).to.deep.equal({ from: 10, to: 10 });
  });

  it('continues after a gap that is given up', () => {
    const { sequence, events, take } = begin(0);
    take(100_001);
    sequence.skipTo(sequence.gap?.to ?? 0);
    expect(events).to.deep.equal([100_001]);
    expect(sequence.hasGap).to.equal(false);
  });

  it('has a gap up to the highest known seq when the budget is used up', () => {
    const { sequence, take } = begin(3, new HoldBudget(0));
    take(5);
    expect(sequence.gap).to.deep.equal({ from: 4, to: 5 });
  });

  it('leaves messages beyond the budget to the database, and releases the budget', () => {
    const budget = new HoldBudget(10);
    const { sequence, events } = begin(0, budget);
    sequence.take(2, item(2, '12345678'));
    sequence.take(3, item(3, '12345678'));
    sequence.take(1, item(1));
    expect(events).to.deep.equal([1, 2]);
    expect(sequence.gap).to.deep.equal({ from: 3, to: 3 });
    expect(budget.take(10)).to.equal(true);
  });
});
