import { expect } from 'chai';
import type { BusMessage } from '../../src/bus/bus.ts';
import type { Topic } from '../../src/bus/topics.ts';
import { TopicSubscriptions } from '../../src/socket/TopicSubscriptions.ts';

describe('the topics of a node', () => {
  /** The subscriptions of the bus, and what was delivered: a topic, its subscribers and its message. */
  function newTopics() {
    const onBus = new Map<Topic, (message: BusMessage) => void>();
    const delivered: [Topic, number, BusMessage][] = [];
    const topics = new TopicSubscriptions(
      {
        subscribe(topic, deliver) {
          onBus.set(topic, deliver);
          return () => onBus.delete(topic);
        },
      },
      (topic, { subscribers }, message) => delivered.push([topic, subscribers, message]),
    );
    return { topics, onBus, delivered };
  }

  it('are subscribed to on the bus once, until the last connection unsubscribes', () => {
    const { topics, onBus } = newTopics();
    topics.subscribe('chat:1');
    topics.subscribe('chat:1');
    topics.unsubscribe('chat:1');
    expect([topics.has('chat:1'), onBus.has('chat:1')]).to.deep.equal([true, true]);
    topics.unsubscribe('chat:1');
    expect([topics.has('chat:1'), onBus.has('chat:1')]).to.deep.equal([false, false]);
  });

  it('count the messages delivered since the first subscriber', () => {
    const { topics, onBus, delivered } = newTopics();
    topics.subscribe('presence:1');
    topics.subscribe('presence:1');
    onBus.get('presence:1')?.({ frame: 'online' });
    expect(topics.delivered('presence:1')).to.equal(1);
    expect(delivered).to.deep.equal([['presence:1', 2, { frame: 'online' }]]);
    for (let n = 0; n < 2; n++) topics.unsubscribe('presence:1');
    topics.subscribe('presence:1');
    expect(topics.delivered('presence:1')).to.equal(0);
  });

  it('ignore the end of a subscription that there is not', () => {
    const { topics } = newTopics();
    topics.unsubscribe('chat:1');
    topics.subscribe('chat:1');
    expect([topics.has('chat:1'), topics.has('chat:2'), topics.delivered('chat:2')]).to.deep.equal([
      true,
      false,
      0,
    ]);
  });
});
