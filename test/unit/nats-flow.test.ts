import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { pino } from 'pino';
import { FlowControl } from '../../src/bus/nats/FlowControl.ts';
import { OutgoingStream } from '../../src/bus/nats/OutgoingStream.ts';
import { RecentPublications } from '../../src/bus/nats/RecentPublications.ts';
import { createGuard } from '../../src/net/guard.ts';

const MIB = 1024 * 1024;

/** Flow control over a connection that confirms when the test says so. */
function begin(kept = 1_000) {
  const stream = new OutgoingStream('n', new RecentPublications('n', kept, 64 * MIB));
  const state = { isUp: true, inFlight: 0, unflushed: 0 };
  const events: string[] = [];
  const flushes: (() => void)[] = [];
  const calls: string[] = [];
  const link = {
    get isUp() {
      return state.isUp;
    },
    get inFlight() {
      return state.inFlight;
    },
    get unflushed() {
      return state.unflushed;
    },
    flush: () => {
      calls.push('flush');
      state.unflushed = 0;
      return new Promise<boolean>((resolve) => {
        flushes.push(() => {
          state.inFlight = 0;
          resolve(true);
        });
      });
    },
  };
  const sender = {
    waiting: 0,
    send: () => void calls.push('send'),
    add(_: string, message: object) {
      const bytes = 'frame' in message ? String(message.frame).length : 0;
      state.inFlight += bytes;
      state.unflushed += bytes;
      events.push(`${bytes}`);
      return bytes;
    },
  };
  const flow = new FlowControl(
    {
      ...{ link, sender, stream },
      announce: ({ kind }) => events.push(kind),
      beat: () => {
        events.push('beat');
        stream.nextBeat();
      },
    },
    createGuard(pino({ level: 'silent' })),
  );
  const publish = (count: number, bytes: number) => {
    for (let n = 0; n < count; n++) stream.add('user:1', { frame: 'x'.repeat(bytes) });
  };
  return { flow, stream, sender, state, events, flushes, calls, publish };
}

describe('the flow of publications to NATS', () => {
  it('sends all that waits, and the beat that nodes wait for behind it', () => {
    const { flow, stream, events, publish } = begin();
    publish(2, 10);
    stream.sendToDatabase(5);
    flow.pump();
    flow.pump();
    expect(events).to.deep.equal(['10', '10', 'beat']);
  });

  it('sends a slice at a time, so that others have their turn', async () => {
    const { flow, events, publish } = begin();
    publish(10, MIB / 8);
    flow.pump();
    flow.pump();
    expect(events).to.have.length(2);
    await turn();
    expect(events).to.have.length(4);
  });

  it('stops when too much is in flight, and goes on once NATS has confirmed it', async () => {
    const { flow, events, flushes, publish, state } = begin();
    state.inFlight = 4 * MIB;
    publish(1, 10);
    flow.pump();
    expect([flow.hasRoom, events]).to.deep.equal([false, []]);
    flow.pump(); // it waits already
    expect(flushes).to.have.length(1);
    flushes[0]?.();
    await turn();
    expect(events).to.deep.equal(['10']);
  });

  it('has NATS confirm what exceeds 1 MiB, once at a time', async () => {
    const { flow, flushes } = begin();
    const send = (bytes: number) => flow.send('user:1', { frame: 'x'.repeat(bytes) });
    send(MIB);
    expect(flushes).to.have.length(0);
    send(1);
    send(2 * MIB);
    expect(flushes).to.have.length(1);
    flushes[0]?.();
    await turn();
    send(MIB);
    expect(flushes).to.have.length(2);
  });

  it('counts what waits for the end of the turn as in flight', () => {
    const { flow, sender, state } = begin();
    state.inFlight = 3 * MIB;
    sender.waiting = MIB - 1;
    expect(flow.hasRoom).to.equal(true);
    sender.waiting = MIB;
    expect(flow.hasRoom).to.equal(false);
  });

  it('sends what waits for the end of the turn before it asks NATS to confirm', () => {
    const { flow, calls, publish } = begin();
    publish(40, MIB);
    flow.sendAll();
    expect(calls).to.deep.equal(['send', 'flush']);
  });

  it('sends nothing while the connection is down', () => {
    const { flow, events, publish, state } = begin();
    state.isUp = false;
    publish(2, 10);
    flow.pump();
    flow.sendAll();
    expect(flow.send('user:1', { frame: 'x' })).to.equal(0);
    expect(events).to.deep.equal([]);
  });

  it('announces publications that were dropped before they could be sent', () => {
    const { flow, events, publish } = begin(3);
    publish(5, 10);
    flow.pump();
    expect(events).to.deep.equal(['start', '10', '10', '10', 'beat']);
  });

  it('sends everything at the end, however much is in flight', () => {
    const { flow, events, publish, state } = begin();
    state.inFlight = 4 * MIB;
    publish(3, MIB / 2);
    flow.sendAll();
    expect(events).to.have.length(3);
  });
});
