import { mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { pino } from 'pino';
import type { BusMessage } from '../../src/bus/bus.ts';
import type { LinkEvents } from '../../src/bus/nats/link.ts';
import { NODES, subjectOf } from '../../src/bus/nats/sender.ts';
import { createTransportOver } from '../../src/bus/nats/transport.ts';
import { chatTopic } from '../../src/bus/topics.ts';
import type { ChatId } from '../../src/ids.ts';
import { createGuard } from '../../src/net/guard.ts';
import { id } from '../support/ids.ts';

const CHAT: ChatId = id(7);
const TOPIC = chatTopic(CHAT);
const SUBJECT = subjectOf(TOPIC);
const stored = (seq: number): BusMessage => ({ frame: `${seq}`, position: { chatId: CHAT, seq } });

/** A transport over a connection to NATS that the test makes and breaks. */
async function newTransport() {
  const sent: [subject: string, payload: string][] = [];
  const subjects = new Map<string, (payload: Buffer) => void>();
  const calls: string[] = [];
  let events: LinkEvents | undefined;
  const link = {
    isUp: false,
    inFlight: 0,
    unflushed: 0,
    /** True if NATS confirms what was published. */
    confirms: true,
    publish(subject: string, payload: Uint8Array | string) {
      if (link.isUp) sent.push([subject, Buffer.from(payload as string).toString()]);
      return link.isUp;
    },
    subscribe(subject: string, receive: (payload: Buffer) => void) {
      subjects.set(subject, receive);
      return () => subjects.delete(subject);
    },
    flush: async () => link.isUp && link.confirms,
    close: async () => void calls.push('close'),
  };
  const transport = await createTransportOver(
    async (given) => {
      events = given;
      return link;
    },
    createGuard(pino({ level: 'silent' })),
    {
      catchUp: () => {},
      reconcile: () => calls.push('reconcile'),
      resynchronise: () => calls.push('resynchronise'),
    },
  );
  return {
    link,
    transport,
    subjects,
    calls,
    /** Receives what another node publishes. */
    receive: (subject: string, message: object) =>
      subjects.get(subject)?.(Buffer.from(JSON.stringify(message))),
    /** Makes the connection; resolves once NATS has answered. */
    async connect() {
      link.isUp = true;
      events?.connected();
      await turn();
    },
    disconnect() {
      link.isUp = false;
      events?.disconnected();
    },
    /** Returns what was sent since the last call: payloads for the topic, and announcements. */
    taken() {
      const all = sent.splice(0);
      return {
        payloads: all.filter(([subject]) => subject === SUBJECT).map(([, payload]) => payload),
        announced: all.filter(([subject]) => subject === NODES).map(([, payload]) => JSON.parse(payload)),
        last: all.at(-1)?.[0],
      };
    },
  };
}

const HEAD = '{"head":{"chatId":7,"seq":2}}';

describe('the transport over NATS', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }));

  /** Lets the node beat, and NATS answer. */
  async function beat(): Promise<void> {
    mock.timers.tick(1_000);
    await turn();
  }

  it('publishes again how far the chats are that NATS has not confirmed, on the next connection', async () => {
    const { transport, link, connect, disconnect, taken } = await newTransport();
    await connect();
    link.confirms = false;
    for (const seq of [1, 2]) transport.publish(TOPIC, stored(seq));
    await beat();
    disconnect();
    taken();
    link.confirms = true;
    await connect();
    expect(taken().payloads).to.deep.equal([HEAD]);
    await beat();
    disconnect();
    await connect();
    expect(taken().payloads).to.deep.equal([]);
  });

  it('has other nodes compare with the database after a signal that NATS has not confirmed, and only then', async () => {
    const { transport, connect, disconnect, taken } = await newTransport();
    await connect();
    transport.publish(TOPIC, { signal: { kind: 'reconcile' } });
    disconnect();
    taken();
    await connect();
    const [start] = taken().announced;
    expect(start.kind).to.equal('start');
    expect(start.reconcile).to.be.within(0, 60_000);
    await beat();
    disconnect();
    taken();
    await connect();
    expect(taken().announced[0]).to.not.have.property('reconcile');
  });

  it('compares with the database after each connection that NATS answers on', async () => {
    const { link, connect, disconnect, calls } = await newTransport();
    await connect();
    expect(calls).to.deep.equal(['reconcile']);
    disconnect();
    link.confirms = false;
    await connect();
    expect(calls).to.deep.equal(['reconcile']);
    disconnect();
    link.confirms = true;
    await connect();
    expect(calls).to.deep.equal(['reconcile', 'reconcile']);
  });

  it('sends what passes once: neither without a connection, nor behind too much else, nor again', async () => {
    const { transport, link, connect, disconnect, taken } = await newTransport();
    const typing: BusMessage = { frame: 'typing', isTransient: true };
    transport.publish(TOPIC, typing);
    await connect();
    expect(taken().payloads).to.deep.equal([]);
    transport.publish(TOPIC, typing);
    expect(taken().payloads).to.have.length(1);
    link.inFlight = 2 ** 30;
    transport.publish(TOPIC, typing);
    link.inFlight = 0;
    disconnect();
    await connect();
    expect(taken().payloads).to.deep.equal([]);
  });

  it('sends no messages of chats while it is alone, and the next node, or all at its end, to the database', async () => {
    const { now } = performance;
    let late = 0;
    performance.now = () => now.call(performance) + late;
    try {
      const { transport, connect, taken, receive } = await newTransport();
      await connect();
      late = 3_000;
      await beat();
      const publish = (seq: number) => {
        transport.publish(TOPIC, stored(seq));
        transport.publish(TOPIC, { frame: 'typing', isTransient: true });
      };
      taken();
      publish(1);
      await turn();
      expect(taken().last).to.equal(undefined);
      receive(NODES, { kind: 'hello', node: 'b.other', from: {}, away: 0 });
      expect(taken().announced[0]?.reconcile).to.be.within(0, 60_000);
      publish(2);
      await turn();
      expect(taken().last).not.to.equal(undefined);
      late = 60_000; // the other one is silent
      await beat();
      publish(3);
      taken();
      await transport.close();
      const { announced } = taken();
      expect(announced.at(-1)?.kind).to.equal('bye');
      expect(announced[0]?.reconcile).to.be.within(0, 60_000);
    } finally {
      performance.now = now;
    }
  });

  it('sends everything else that waits, says goodbye behind it, and closes', async () => {
    const { transport, link, connect, taken, calls } = await newTransport();
    await connect();
    link.inFlight = 2 ** 30; // so that it waits
    transport.publish(TOPIC, { frame: 'an edit' });
    expect(taken().payloads).to.deep.equal([]);
    await transport.close();
    const { payloads, announced, last } = taken();
    expect(payloads).to.have.length(1);
    expect(announced.at(-1)).to.include({ kind: 'bye', next: 1 });
    expect([last, calls.at(-1)]).to.deep.equal([NODES, 'close']);
    await beat();
    expect(taken().announced).to.deep.equal([]);
  });

  it('is subscribed to the subject of a topic for as long as the topic has a subscriber', async () => {
    const { transport, subjects } = await newTransport();
    const unsubscribe = transport.subscribe(TOPIC, () => {});
    expect([subjects.has(SUBJECT), transport.subscriptions]).to.deep.equal([true, 1]);
    unsubscribe();
    expect([subjects.has(SUBJECT), transport.subscriptions]).to.deep.equal([false, 0]);
  });
});
