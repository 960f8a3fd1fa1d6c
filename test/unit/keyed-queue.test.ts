import { expect } from 'chai';
import { KeyedQueue } from '../../src/bus/KeyedQueue.ts';

describe('a queue by keys', () => {
  it('runs work with one key in the order of the calls, beside that of other keys, after a failure too', async () => {
    const queue = new KeyedQueue();
    const steps: string[] = [];
    const work = (name: string, fails = false) =>
      queue
        .run(name.slice(0, 1), async () => {
          steps.push(`${name} begins`);
          await new Promise(setImmediate);
          steps.push(`${name} ends`);
          if (fails) throw new Error(name);
        })
        .catch(({ message }) => steps.push(`${message} failed`));
    await Promise.all([work('a1', true), work('b1'), work('a2')]);
    const ofA = steps.filter((step) => step.startsWith('a'));
    expect(ofA.filter((step) => step !== 'a1 failed')).to.deep.equal([
      ...['a1 begins', 'a1 ends', 'a2 begins', 'a2 ends'],
    ]);
    expect(steps).to.include('a1 failed');
    expect(steps.indexOf('b1 begins')).to.be.below(steps.indexOf('a1 ends'));
  });

  it('forgets a key whose work has ended, well or not', async () => {
    const queue = new KeyedQueue();
    const results = [queue.run('a', async () => 1), queue.run('b', async () => Promise.reject(new Error()))];
    expect(queue.size).to.equal(2);
    await Promise.allSettled(results);
    expect(queue.size).to.equal(0);
    await queue.settled('a');
    expect(queue.size).to.equal(0);
  });
});
