import { expect } from 'chai';
import { FairQueue, ofClient } from '../../src/auth/FairQueue.ts';

describe('a fair queue', () => {
  const drain = (queue: FairQueue) => {
    const order: unknown[] = [];
    for (let task = queue.shift(); task; task = queue.shift()) order.push((task as { n?: unknown }).n);
    return order;
  };
  const task = (client: string, n: number) => ofClient({ n }, client);

  it('lets clients take turns, each in the order of its own tasks', () => {
    const queue = new FairQueue();
    for (const n of [1, 2, 3, 4]) queue.push(task('storm', n));
    queue.push(task('ada', 10));
    queue.push(task('bob', 20));
    queue.push(task('bob', 21));
    expect(queue.size).to.equal(7);
    expect(queue.sizeOf('storm')).to.equal(4);
    expect(drain(queue)).to.deep.equal([1, 10, 20, 2, 21, 3, 4]);
    expect(queue.size).to.equal(0);
    expect(queue.sizeOf('storm')).to.equal(0);
  });

  it('forgets a task that is removed', () => {
    const queue = new FairQueue();
    const [first, second] = [task('ada', 1), task('ada', 2)];
    queue.push(first);
    queue.push(second);
    queue.remove(first);
    queue.remove(first);
    expect(queue.size).to.equal(1);
    expect(drain(queue)).to.deep.equal([2]);
  });

  it('gives up all that wait, and none that was taken', () => {
    const queue = new FairQueue();
    const givenUp: number[] = [];
    for (const [client, n] of [
      ['ada', 1],
      ['ada', 2],
      ['bob', 3],
    ] as const)
      queue.push(ofClient({ n }, client, () => givenUp.push(n)));
    queue.shift();
    queue.giveUp();
    expect([givenUp, queue.size, drain(queue)]).to.deep.equal([[3, 2], 0, []]);
  });
});
