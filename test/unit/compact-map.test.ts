import { expect } from 'chai';
import fc from 'fast-check';
import { CompactMap } from '../../src/socket/CompactMap.ts';

describe('a compact map', () => {
  it('holds the same as a Map, ordered by key', () => {
    const change = fc.record({ key: fc.integer({ min: 1, max: 12 }), value: fc.option(fc.nat()) });
    const run = fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      const [compact, map] = [new CompactMap<number>(), new Map<number, number>()];
      for (const { key, value } of changes) {
        if (value === null) expect(compact.delete(key)).to.equal(map.delete(key));
        else {
          compact.set(key, value);
          map.set(key, value);
        }
        if (key === 7) compact.trim();
        expect(compact.size).to.equal(map.size);
        for (let looked = 0; looked < 14; looked++)
          expect([compact.has(looked), compact.get(looked)]).to.deep.equal([
            map.has(looked),
            map.get(looked),
          ]);
      }
      const ordered = [...map].sort(([one], [other]) => one - other);
      expect([...compact]).to.deep.equal(ordered);
      expect(compact.keys()).to.deep.equal(ordered.map(([key]) => key));
    });
    fc.assert(run);
  });
});
