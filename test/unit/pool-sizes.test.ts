import { expect } from 'chai';
import { poolSizes } from '../../src/database/database.ts';

describe('the connections to the database', () => {
  it('are half for reads, half of these for heavy ones, and never more than configured from four on', () => {
    expect(poolSizes(10)).to.deep.equal({ reads: 3, heavyReads: 2, changes: 5 });
    expect(poolSizes(1_000)).to.deep.equal({ reads: 250, heavyReads: 250, changes: 500 });
    for (let size = 4; size <= 100; size++) {
      const { reads, heavyReads, changes } = poolSizes(size);
      expect(reads + heavyReads + changes, `${size}`).to.equal(size);
      expect(reads, `${size}`).to.be.at.least(heavyReads);
    }
  });

  it('are at least one of each kind', () => {
    for (const size of [2, 3])
      expect(Object.values(poolSizes(size)), `${size}`).to.satisfy((all: number[]) =>
        all.every((one) => one >= 1),
      );
  });
});
