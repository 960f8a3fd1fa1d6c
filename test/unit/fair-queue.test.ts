import { expect } from 'chai';
import { FairQueue } from '../../src/FairQueue.ts';

describe('a fair queue', () => {
  const drain = (queue: FairQueue<string, number>) => {
    const order: number[] = [];
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) order.push(item);
    return order;
  };
  const queueOf = (...items: readonly (readonly [string, number])[]) => {
    const queue = new FairQueue<string, number>();
    for (const [owner, item] of items) queue.push(owner, item);
    return queue;
  };

  it('serves owners in turn, each in the order of its own items', () => {
    const storm = [1, 2, 3, 4].map((n) => ['storm', n] as const);
    const queue = queueOf(...storm, ['ada', 10], ['bob', 20], ['bob', 21]);
    expect([queue.size, queue.sizeOf('storm')]).to.deep.equal([7, 4]);
    expect(drain(queue)).to.deep.equal([1, 10, 20, 2, 21, 3, 4]);
    expect([queue.size, queue.sizeOf('storm')]).to.deep.equal([0, 0]);
  });

  it('skips a paused owner, and serves it after the others once it is resumed', () => {
    const queue = queueOf(['ada', 1], ['ada', 2], ['bob', 10]);
    queue.pause('ada');
    queue.pause('cleo');
    queue.push('ada', 3);
    queue.push('cleo', 20);
    expect([queue.shift(), queue.shift(), queue.size]).to.deep.equal([10, undefined, 4]);
    queue.push('bob', 11);
    queue.resume('ada');
    queue.resume('bob'); // was not paused
    expect(drain(queue)).to.deep.equal([11, 1, 2, 3]);
    queue.resume('cleo');
    expect(drain(queue)).to.deep.equal([20]);
  });

  it('drops a removed item', () => {
    const queue = queueOf(['ada', 1], ['ada', 2]);
    queue.remove('ada', 1);
    queue.remove('ada', 1);
    queue.remove('bob', 2);
    expect(queue.size).to.equal(1);
    expect(drain(queue)).to.deep.equal([2]);
    queue.push('ada', 3);
    queue.remove('ada', 3);
    expect([queue.size, queue.shift()]).to.deep.equal([0, undefined]);
  });

  it('returns all waiting items at once', () => {
    const queue = queueOf(['ada', 1], ['ada', 2], ['bob', 3]);
    queue.pause('bob');
    expect(queue.clear().sort()).to.deep.equal([1, 2, 3]);
    queue.resume('bob');
    expect([queue.size, queue.sizeOf('ada'), queue.shift()]).to.deep.equal([0, 0, undefined]);
  });
});
