import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { pino } from 'pino';
import type { BusMessage } from '../../src/bus/bus.ts';
import { createMemoryTransport } from '../../src/bus/memory.ts';
import { createOrderedBus } from '../../src/bus/orderedBus.ts';
import { chatTopic } from '../../src/bus/topics.ts';
import type { ChatId } from '../../src/ids.ts';
import { id } from '../support/ids.ts';
import { MemoryRecord } from '../support/memoryRecord.ts';

const CHAT: ChatId = id(7);
const TOPIC = chatTopic(CHAT);

/** A bus with a subscriber that has received a chat up to its first message, and the timers that are not cancelled. */
function newBus() {
  const record = new MemoryRecord();
  const timers = new Set<() => void>();
  const frames: string[] = [];
  const tooLarge: string[] = [];
  const bus = createOrderedBus(
    createMemoryTransport(() => {}),
    {
      record,
      log: pino({ level: 'silent' }),
      underWay: async () => {},
      gapFilled: () => {},
      gapTooLarge: (topic) => tooLarge.push(topic),
      schedule(work) {
        const timer = () => {
          timers.delete(timer);
          work();
        };
        timers.add(timer);
        return () => timers.delete(timer);
      },
    },
  );
  const subscribe = () =>
    bus.subscribe(TOPIC, (message: BusMessage) => 'frame' in message && frames.push(message.frame));
  const unsubscribe = subscribe();
  bus.begin(TOPIC, [{ chatId: CHAT, seq: 1 }]);
  const publish = (seq: number) => bus.publish(TOPIC, { frame: `${seq}`, position: { chatId: CHAT, seq } });
  const edit = (version: number) =>
    bus.publish(TOPIC, { frame: `edit ${version}`, about: { chatId: CHAT, head: 1, seq: 1, version } });
  /** Stores messages, and lets the bus fill the gap before the last one. */
  async function fill(from: number, to: number): Promise<void> {
    for (let seq = from; seq <= to; seq++) record.store(CHAT, { seq, frame: `${seq}` });
    publish(to);
    while (timers.size > 0) {
      for (const timer of timers) timer();
      await turn();
    }
  }
  return { bus, record, timers, frames, tooLarge, subscribe, unsubscribe, publish, edit, fill };
}

describe('the ordered bus', () => {
  it('forgets a topic that nobody is subscribed to any more', () => {
    const { bus, unsubscribe, subscribe, publish, frames } = newBus();
    publish(2);
    unsubscribe();
    expect(bus.position(TOPIC, CHAT)).to.equal(undefined);
    subscribe();
    expect(bus.position(TOPIC, CHAT)).to.equal(undefined);
    publish(9); // the first of a chat of which nothing is known
    expect(frames).to.deep.equal(['2', '9']);
  });

  it('calls what waits for a message when nobody is subscribed any more, and fills no gap', () => {
    const { bus, timers, unsubscribe, publish, record } = newBus();
    let calls = 0;
    bus.after(TOPIC, { chatId: CHAT, seq: 2 }, () => calls++);
    publish(3);
    expect([calls, timers.size]).to.deep.equal([0, 1]);
    unsubscribe();
    bus.after(TOPIC, { chatId: CHAT, seq: 2 }, () => calls++);
    expect([calls, timers.size, record.reads]).to.deep.equal([2, 0, 0]);
  });

  it('ends all its timers when it is closed', async () => {
    const { bus, timers, publish, edit, frames } = newBus();
    publish(3);
    edit(1);
    edit(3);
    expect([timers.size, frames]).to.deep.equal([2, ['edit 1']]);
    await bus.close();
    expect([timers.size, frames]).to.deep.equal([0, ['edit 1']]);
  });

  it('fills each gap of a chat by itself, however much it has filled before', async () => {
    const { fill, frames, tooLarge } = newBus();
    await fill(2, 3_000);
    await fill(3_001, 6_000);
    expect(frames).to.have.length(5_999);
    expect(tooLarge).to.deep.equal([]);
    await fill(6_001, 12_000);
    expect(tooLarge).to.deep.equal([TOPIC]);
  });
});
