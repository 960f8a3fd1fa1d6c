import { expect } from 'chai';
import { pino } from 'pino';

import { ChangeOrder, createChangeDelivery } from '../../src/bus/ChangeOrder.ts';
import { KeyedQueue } from '../../src/bus/KeyedQueue.ts';
import { createGuard } from '../../src/net/guard.ts';
import { id } from '../support/ids.ts';
import { pause, until } from '../support/until.ts';

describe('the order of the changes of a message', () => {
  let order: ChangeOrder;
  let delivered: string[];

  beforeEach(() => {
    order = new ChangeOrder(3);
    delivered = [];
  });

  const take = (version: number, part = 'content', seq = 1, topic: `chat:${number}` = 'chat:7') =>
    order.take(topic, { chatId: id(7), head: 9, seq, version, part }, () =>
      delivered.push(`${seq === 1 ? '' : `${seq}/`}${part} ${version}`),
    );

  it('delivers changes that arrive in order at once, from the first version on', () => {
    for (const version of [4, 5, 6]) expect(take(version)).to.equal(undefined);
    expect(delivered).to.deep.equal(['content 4', 'content 5', 'content 6']);
  });

  it('holds an early change until its predecessors have arrived', () => {
    take(1);
    expect(take(4, 'pin')).to.be.an('object');
    expect(take(3)).to.be.an('object');
    expect(delivered).to.deep.equal(['content 1']);
    expect(take(2)).to.equal(undefined);
    expect(delivered).to.deep.equal(['content 1', 'content 2', 'content 3', 'pin 4']);
  });

  it('stops waiting on request, delivers lower versions first, and continues from there', () => {
    take(1);
    const held = take(5);
    take(3, 'pin');
    take(7, 'pin');
    if (held) order.release(held);
    expect(delivered).to.deep.equal(['content 1', 'pin 3', 'content 5']);
    take(6);
    expect(delivered.slice(3)).to.deep.equal(['content 6', 'pin 7']);
    if (held) order.release(held); // it was delivered long ago
    expect(delivered).to.have.length(5);
  });

  it('delivers a late change unless a newer one of the same part was delivered', () => {
    take(1);
    const held = take(4);
    if (held) order.release(held);
    take(2); // the content of version 4 was delivered
    take(3, 'pin');
    expect(delivered).to.deep.equal(['content 1', 'content 4', 'pin 3']);
  });

  it('delivers no change of a message after its deletion', () => {
    take(1);
    const held = take(4, 'deleted');
    if (held) order.release(held);
    take(2);
    take(3, 'pin');
    expect(delivered).to.deep.equal(['content 1', 'deleted 4']);
  });

  it('remembers what was delivered of each part', () => {
    take(1);
    for (const held of [take(3), take(5, 'pin')]) if (held) order.release(held);
    take(2); // the content of version 3 was delivered
    take(4); // of the pin version 5 was, of the content only version 3
    expect(delivered).to.deep.equal(['content 1', 'content 3', 'pin 5', 'content 4']);
  });

  it('delivers each change once', () => {
    for (const version of [1, 1, 3, 3, 2, 2, 3]) take(version);
    expect(delivered).to.deep.equal(['content 1', 'content 2', 'content 3']);
  });

  it('holds a change once that arrives twice', () => {
    take(1);
    expect([take(3) === undefined, take(3)]).to.deep.equal([false, undefined]);
    take(2);
    expect(delivered).to.deep.equal(['content 1', 'content 2', 'content 3']);
  });

  it('delivers pushes that have no message or no version, each time', () => {
    for (const about of [{ seq: 3 }, { version: 1 }, {}])
      for (const name of ['once', 'again'])
        order.take('chat:7', { chatId: id(7), head: 9, ...about }, () => delivered.push(name));
    expect(delivered).to.deep.equal(['once', 'again', 'once', 'again', 'once', 'again']);
  });

  it('keeps messages and topics apart, and passes on pushes that are not about a message', () => {
    take(1);
    take(5, 'content', 2);
    take(9, 'content', 1, 'chat:8');
    order.take('chat:7', { chatId: id(7), head: 9 }, () => delivered.push('typing'));
    expect(delivered).to.deep.equal(['content 1', '2/content 5', 'content 9', 'typing']);
  });

  it('remembers a bounded number of messages, and delivers the held changes of a forgotten one', () => {
    take(1);
    take(3);
    for (const seq of [2, 3, 4]) take(1, 'content', seq);
    expect(delivered).to.deep.equal(['content 1', '2/content 1', '3/content 1', 'content 3', '4/content 1']);
  });

  it('waits for nothing behind a change that is delivered at once', () => {
    let timers = 0;
    const delivery = createChangeDelivery(createGuard(pino({ level: 'silent' })), () => {
      timers++;
      return () => {};
    });
    for (const version of [1, 2, 2, 4])
      delivery.take('user:1', { chatId: id(7), head: 9, seq: 1, version, part: 'pin' }, () => {});
    expect(timers).to.equal(1); // for version 4
  });

  it('remembers a bounded number of parts of a message', () => {
    take(1);
    const held = take(3);
    if (held) order.release(held);
    for (let version = 4; version < 4 + 64; version++) take(version, `reaction ${version}`);
    take(2); // it is not known any more that newer content was delivered
    expect(delivered.at(-1)).to.equal('content 2');
  });

  it('stops waiting after a timeout, and drops held changes when it is closed', async () => {
    const delivery = createChangeDelivery(createGuard(pino({ level: 'silent' })));
    const got: number[] = [];
    const deliver = (version: number, seq = 1) =>
      delivery.take('user:1', { chatId: id(7), head: 9, seq, version, part: 'pin' }, () => got.push(version));
    for (const version of [1, 4, 3]) deliver(version);
    expect(got).to.deep.equal([1]);
    await until(() => got.length === 3);
    expect(got).to.deep.equal([1, 3, 4]);
    deliver(6);
    delivery.close();
    await pause(150); // longer than it would have waited
    expect(got).to.deep.equal([1, 3, 4]);
  });
});

describe('a queue by keys', () => {
  it('runs the tasks of one key in the order of the calls, failures included, and those of other keys concurrently', async () => {
    const queue = new KeyedQueue();
    const log: string[] = [];
    const work = (name: string, milliseconds: number) => async () => {
      log.push(`${name} begins`);
      await pause(milliseconds);
      log.push(`${name} ends`);
      if (name === 'a1') throw new Error('no');
      return name;
    };
    const all = [
      queue.run('a', work('a1', 20)),
      queue.run('a', work('a2', 0)),
      queue.run('b', work('b1', 0)),
    ];
    expect((await Promise.allSettled(all)).map(({ status }) => status)).to.deep.equal([
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(log.filter((line) => line.startsWith('a'))).to.deep.equal([
      'a1 begins',
      'a1 ends',
      'a2 begins',
      'a2 ends',
    ]);
    expect(log.indexOf('b1 ends')).to.be.below(log.indexOf('a1 ends'));
  });

  it('is settled once everything of a key has ended that was called before', async () => {
    const queue = new KeyedQueue();
    const log: string[] = [];
    await queue.settled('a');
    expect(queue.size).to.equal(0);
    void queue.run('a', async () => {
      await pause(5);
      log.push('a');
    });
    void queue.run('a', async () => log.push('a again'));
    await queue.settled('b');
    expect(log).to.deep.equal([]);
    await queue.settled('a');
    expect(log).to.deep.equal(['a', 'a again']);
  });

  it('keeps the order of the calls while others of the key end', async () => {
    const queue = new KeyedQueue();
    const log: string[] = [];
    const work = (name: string) => async () => {
      log.push(`${name} begins`);
      await pause(1);
      log.push(`${name} ends`);
    };
    const others = [queue.run('a', work('2')), queue.run('a', work('3'))];
    await others[0];
    await Promise.all([...others, queue.run('a', work('4'))]);
    expect(log).to.deep.equal(['2 begins', '2 ends', '3 begins', '3 ends', '4 begins', '4 ends']);
  });

  it('keeps no state of an idle key', async () => {
    const queue = new KeyedQueue();
    const rejected = queue.run('a', () => Promise.reject(new Error('no'))).catch(() => {});
    await Promise.all([rejected, queue.run('a', async () => 1), queue.run('b', () => pause(5))]);
    expect(queue.size).to.equal(0);
  });
});
