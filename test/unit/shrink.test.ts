import { expect } from 'chai';
import { shrink } from '../slow/differential/shrink.ts';

const NEVER = Number.POSITIVE_INFINITY;
const numbers = Array.from({ length: 100 }, (_, index) => index);

describe('shrinking a sequence', () => {
  it('leaves only the items needed to fail, in order', async () => {
    const needed = [3, 41, 42, 97];
    const fails = async (items: readonly number[]) => needed.every((item) => items.includes(item));
    expect(await shrink(numbers, fails, NEVER)).to.deep.equal(needed);
  });

  it('tries far fewer sequences than exist', async () => {
    let tries = 0;
    const fails = async (items: readonly number[]) => {
      tries++;
      return items.includes(60);
    };
    expect(await shrink(numbers, fails, NEVER)).to.deep.equal([60]);
    expect(tries).to.be.below(50);
  });

  it('keeps the failing sequence when time is up, or when no item can be removed', async () => {
    expect(await shrink(numbers, async () => true, Date.now())).to.deep.equal(numbers);
    expect(await shrink([1, 2, 3], async ({ length }) => length === 3, NEVER)).to.deep.equal([1, 2, 3]);
  });
});
