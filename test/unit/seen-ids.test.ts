import { expect } from 'chai';
import { SeenIds } from '../../src/bus/SeenIds.ts';

const rows = (...ids: number[]) => ids.map((id) => ({ id }));

describe('seen ids', () => {
  it('return each row once, whatever its id, but none of the first poll', () => {
    const seen = new SeenIds(60_000, 0);
    expect(seen.take(rows(4, 7), 0).news).to.deep.equal([]);
    expect(seen.take(rows(4, 7, 9), 1_000).news).to.deep.equal(rows(9));
    expect(seen.take(rows(5, 7, 9), 2_000).news).to.deep.equal(rows(5)); // committed after 7
    expect(seen.take(rows(5, 7, 9), 3_000).news).to.deep.equal([]);
  });

  it('forget rows that are not found any more', () => {
    const seen = new SeenIds(60_000, 0);
    seen.take(rows(4), 0);
    seen.take(rows(), 1_000);
    expect(seen.take(rows(4), 2_000).news).to.deep.equal(rows(4));
  });

  it('say when rows may have been missed between two looks', () => {
    const seen = new SeenIds(60_000, 0);
    expect(seen.take(rows(), 60_000).hasMissed).to.equal(false);
    expect(seen.take(rows(), 120_001).hasMissed).to.equal(true);
    expect(seen.take(rows(), 120_002).hasMissed).to.equal(false);
  });
});
