import { expect } from 'chai';
import { createRounds } from '../../src/socket/rounds.ts';

describe('rounds', () => {
  it('visit all items, a slice in each step, and start over', () => {
    const items = new Set(Array.from({ length: 25 }, (_, n) => n));
    const [seen, rounds]: [number[], number[]] = [[], []];
    const step = createRounds(
      items,
      10,
      (item) => seen.push(item),
      () => rounds.push(seen.length),
    );
    for (let n = 0; n < 3; n++) step();
    expect(seen.length).to.be.within(6, 15);
    items.delete(24);
    items.add(25);
    for (let n = 3; n < 10; n++) step();
    expect(seen.slice(0, 25)).to.deep.equal([...items]);
    expect(rounds).to.deep.equal([25]);
    for (let n = 0; n < 10; n++) step();
    expect(rounds.length).to.be.within(2, 3);
  });

  it('over nothing end at once, and visit items that are added later', () => {
    const [items, seen]: [Set<string>, string[]] = [new Set(), []];
    const step = createRounds(items, 10, (item) => seen.push(item));
    step();
    items.add('first');
    step();
    expect(seen).to.deep.equal(['first']);
  });
});
