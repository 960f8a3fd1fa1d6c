import { expect } from 'chai';
import { gathered } from '../../src/database/gathered.ts';

describe('gathered', () => {
  it('reads what was asked for during a query with the next one, and goes on after a failure', async () => {
    const reads: { keys: readonly number[]; end: (error?: Error) => void }[] = [];
    let begun = () => {};
    const next = () => new Promise<void>((resolve) => (begun = resolve));
    const loader = gathered(
      (keys: readonly number[]) =>
        new Promise<string[]>((resolve, reject) => {
          reads.push({
            keys,
            end: (error) => (error ? reject(error) : resolve(keys.map((key) => `${key}`))),
          });
          begun();
        }),
      3,
    );
    let reading = next();
    const first = loader.load(1);
    await reading;
    const later = [2, 3, 4, 5, 2].map((key) => loader.load(key).catch((error: Error) => error.message));
    reading = next();
    reads[0]?.end();
    expect(await first).to.equal('1');
    await reading;
    reading = next();
    reads[1]?.end(new Error('away'));
    await reading;
    reads[2]?.end();
    expect(await Promise.all(later)).to.deep.equal(['away', 'away', 'away', '5', '2']);
    expect(reads.map(({ keys }) => keys)).to.deep.equal([[1], [2, 3, 4], [5, 2]]);
  });

  it('waits for no query that stalls', async () => {
    const stalled = new Promise<string[]>(() => {});
    const loader = gathered(
      (keys: readonly number[]) => {
        return keys.includes(1) ? stalled : Promise.resolve(keys.map((key) => `${key}`));
      },
      3,
      1,
    );
    loader.load(1);
    await Promise.resolve();
    expect(await loader.load(2)).to.equal('2');
  });
});
