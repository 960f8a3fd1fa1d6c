import { expect } from 'chai';
import fc from 'fast-check';
import { OneOrMany } from '../../src/socket/OneOrMany.ts';

describe('a one-or-many map', () => {
  it('keeps the values of each key, each once', () => {
    const values = Array.from({ length: 4 }, (_, id) => ({ id }));
    const change = fc.record({ key: fc.nat(2), value: fc.constantFrom(...values), adds: fc.boolean() });
    const run = fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      const [kept, sets] = [new OneOrMany<number, { id: number }>(), new Map<number, Set<{ id: number }>>()];
      for (const { key, value, adds } of changes) {
        const set = sets.get(key) ?? new Set();
        if (adds) {
          kept.add(key, value);
          sets.set(key, set.add(value));
        } else {
          kept.delete(key, value);
          set.delete(value);
          if (set.size === 0) sets.delete(key);
        }
        expect([kept.count(key), kept.size]).to.deep.equal([set.size, sets.size]);
        expect(kept.of(key)).to.have.members([...set]);
      }
      expect([...kept.keys()]).to.have.members([...sets.keys()]);
    });
    fc.assert(run);
  });
});
