import { expect } from 'chai';
import { createMemoryTransport } from '../../src/bus/memory.ts';
import type { Topic } from '../../src/bus/topics.ts';

const topic: Topic = 'user:1';

describe('the transport of a single node', () => {
  it('delivers to the last subscriber of a topic, also when an earlier one ends', () => {
    const transport = createMemoryTransport(() => {});
    const received: string[] = [];
    const subscribe = (name: string) => transport.subscribe(topic, () => received.push(name));
    const publish = () => transport.publish(topic, { frame: '{}' });
    const endFirst = subscribe('first');
    const endSecond = subscribe('second');
    endFirst();
    publish();
    endSecond();
    publish();
    expect(received).to.deep.equal(['second']);
  });
});
