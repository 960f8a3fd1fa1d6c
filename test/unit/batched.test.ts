import { expect } from 'chai';
import { batched } from '../../src/database/batched.ts';
import { pause } from '../support/until.ts';

describe('a batched loader', () => {
  it('reads keys requested during a query with the next query, and continues after a failure', async () => {
    const reads: { keys: readonly number[]; end: (error?: Error) => void }[] = [];
    let onRead = () => {};
    const next = () => new Promise<void>((resolve) => (onRead = resolve));
    const loader = batched(
      (keys: readonly number[]) =>
        new Promise<string[]>((resolve, reject) => {
          reads.push({
            keys,
            end: (error) => (error ? reject(error) : resolve(keys.map((key) => `${key}`))),
          });
          onRead();
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

  it('does not wait for a stalled query until three are running', async () => {
    const ends: (() => void)[] = [];
    let onRead = () => {};
    const next = () => new Promise<void>((resolve) => (onRead = resolve));
    const read = (keys: readonly number[]) =>
      new Promise<string[]>((resolve) => {
        ends.push(() => resolve(keys.map((key) => `${key}`)));
        onRead();
      });
    const loader = batched(read, 1, 1);
    const values = [];
    for (const key of [1, 2, 3]) {
      const reading = next();
      values.push(loader.load(key));
      await reading;
    }
    values.push(loader.load(4));
    await pause(20); // much longer than the timeout
    expect(ends).to.have.length(3);
    const reading = next();
    ends[1]?.();
    await reading;
    for (const end of ends) end();
    expect(await Promise.all(values)).to.deep.equal(['1', '2', '3', '4']);
  });
});
