import { mock } from 'node:test';
import { expect } from 'chai';
import { createBackoff } from '../../src/client/backoff.ts';

const delaysOf = (backoff: { next(): number }, count: number) =>
  Array.from({ length: count }, () => backoff.next());

describe('a back-off', () => {
  it('doubles the delay up to the longest', () => {
    expect(delaysOf(createBackoff(500, 3_000, 0), 5)).to.deep.equal([500, 1_000, 2_000, 3_000, 3_000]);
  });

  it('takes a random share off each delay', () => {
    mock.method(Math, 'random', () => 0.5);
    expect(delaysOf(createBackoff(500, 3_000, 1), 3)).to.deep.equal([250, 500, 1_000]);
    expect(delaysOf(createBackoff(500, 3_000, 0.5), 3)).to.deep.equal([375, 750, 1_500]);
  });

  it('stays within its bounds', () => {
    const backoff = createBackoff(1_000, 32_000, 0.5);
    const delays = delaysOf(backoff, 50);
    delays.forEach((delay, failures) => {
      const most = Math.min(32_000, 1_000 * 2 ** failures);
      expect(delay).to.be.within(most / 2, most);
    });
  });

  it('returns the longest delay after more failures than a number can double', () => {
    const backoff = createBackoff(500, 30_000, 0);
    backoff.reset(5_000);
    expect(backoff.next()).to.equal(30_000);
  });

  it('starts over after a reset, with shorter delays after a negative number of failures', () => {
    const backoff = createBackoff(400, 30_000, 0);
    delaysOf(backoff, 4);
    backoff.reset();
    expect(backoff.next()).to.equal(400);
    backoff.reset(-2);
    expect(delaysOf(backoff, 3)).to.deep.equal([100, 200, 400]);
  });
});
