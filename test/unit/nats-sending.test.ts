import { expect } from 'chai';
import { Confirmations } from '../../src/bus/nats/Confirmations.ts';
import { InFlight } from '../../src/bus/nats/InFlight.ts';
import { OutgoingStream } from '../../src/bus/nats/OutgoingStream.ts';
import { RecentPublications } from '../../src/bus/nats/RecentPublications.ts';
import { RoundTrips } from '../../src/bus/nats/RoundTrips.ts';
import { SendPolicy } from '../../src/bus/nats/SendPolicy.ts';
import type { ChatId } from '../../src/ids.ts';
import { id } from '../support/ids.ts';

/** Milliseconds after which it is known which nodes are there. */
const SETTLED = 2_001;

describe('the way in which messages are sent', () => {
  it('is one by one until it is known who is there, then in batches', () => {
    const policy = new SendPolicy(0);
    policy.choose(2, SETTLED - 1);
    expect(policy.sendsBatches).to.equal(false);
    policy.choose(2, SETTLED);
    expect(policy.sendsBatches).to.equal(true);
  });

  it('is chosen at once when another node has said who is there, but nobody is alone that early', () => {
    const policy = new SendPolicy(0);
    policy.choose(0, 1, true);
    expect([policy.sendsBatches, policy.isAlone]).to.deep.equal([true, false]);
    policy.choose(0, SETTLED);
    expect(policy.isAlone).to.equal(true);
  });

  it('is one by one with many nodes', () => {
    const policy = new SendPolicy(0);
    policy.choose(15, SETTLED);
    expect(policy.sendsBatches).to.equal(true);
    policy.choose(16, SETTLED);
    expect(policy.sendsBatches).to.equal(false);
  });

  it('is one by one for a minute after a node that does not take batches, which has missed those before', () => {
    const policy = new SendPolicy(0);
    policy.choose(1, SETTLED);
    expect(policy.noteUnbatched(3_000)).to.equal(true);
    expect(policy.noteUnbatched(4_000)).to.equal(false);
    policy.choose(1, 64_000);
    expect(policy.sendsBatches).to.equal(false);
    policy.choose(1, 64_001);
    expect(policy.sendsBatches).to.equal(true);
  });

  it('says once since when messages were withheld, to the node that comes or on a new connection', () => {
    const policy = new SendPolicy(0);
    policy.choose(0, SETTLED);
    for (const now of [3_000, 4_000]) policy.withhold(now);
    expect(policy.endSolitude()).to.equal(3_000);
    expect(policy.endSolitude()).to.equal(undefined);
    policy.withhold(5_000);
    expect(policy.connected(6_000)).to.equal(5_000);
    expect([policy.isAlone, policy.hasWithheld, policy.sendsBatches]).to.deep.equal([false, false, false]);
  });
});

describe('the stream of what this node sends', () => {
  /** A stream with publications, so many of which were sent. */
  function begin(count: number, sent: number, kept = 100) {
    const stream = new OutgoingStream('n', new RecentPublications('n', kept));
    for (let number = 0; number < count; number++) {
      stream.add('user:1', { frame: `${number}` });
      if (number < sent) stream.shift();
    }
    return stream;
  }
  const numbers = (stream: OutgoingStream) => {
    const sent: unknown[] = [];
    for (let next = stream.shift(); next; next = stream.shift())
      if ('frame' in next.message) sent.push(next.message.origin?.number);
    return sent;
  };

  it('announces in each beat how much was sent, and owes one while nodes wait for it', () => {
    const stream = begin(5, 3);
    expect(stream.nextBeat()).to.deep.equal({ kind: 'beat', node: 'n', beat: 1, sent: 3 });
    expect(stream.owesBeat).to.equal(true);
    numbers(stream);
    expect(stream.nextBeat()).to.include({ beat: 2, sent: 5 });
    expect(stream.owesBeat).to.equal(false);
  });

  it('goes on over a new connection with what was not confirmed', () => {
    const stream = begin(5, 5);
    stream.nextBeat();
    const start = stream.restart(2, 700);
    expect(start).to.deep.equal({
      ...{ kind: 'start', node: 'n', beat: 1, from: 2, oldest: 0, next: 5 },
      reconcile: 700,
    });
    expect(stream.sentAtBeat).to.equal(2);
    expect(numbers(stream)).to.deep.equal([2, 3, 4]);
  });

  it('sends again what a node asks for, and says how far it was', () => {
    const stream = begin(5, 4);
    const start = stream.resend(1, { to: 'm', roster: { alive: [], departed: [] } });
    expect(start).to.deep.include({ from: 1, continues: { reached: 4, sent: 4 }, to: 'm' });
    expect(stream.owesBeat).to.equal(true);
    expect(numbers(stream)).to.deep.equal([1, 2, 3, 4]);
  });

  it('does not go back to what it does not keep, or for a node that asks for nothing', () => {
    const stream = begin(10, 10, 5);
    expect(stream.resend(2)).to.include({ from: 10, oldest: 5 });
    expect(stream.resend(undefined)).to.include({ from: 10 });
    expect(stream.hasUnsent).to.equal(false);
  });

  it('announces what it dropped before it could send it', () => {
    const stream = begin(10, 2, 5);
    expect(stream.skipGap()).to.deep.include({ from: 5, continues: { reached: 2, sent: 2 } });
    expect(stream.skipGap()).to.equal(undefined);
    expect(numbers(stream)).to.deep.equal([5, 6, 7, 8, 9]);
  });

  it('sends what was not confirmed to nodes that have received none of it', () => {
    const stream = begin(6, 6);
    expect(stream.resendUnconfirmed(4, 900)).to.deep.include({
      ...{ from: 4, continues: { reached: 4, sent: 4 }, reconcile: 900 },
    });
    expect(begin(10, 10, 5).resendUnconfirmed(2, 900)).to.include({ from: 5 });
  });

  it('says goodbye with the number of its publications', () => {
    expect(begin(6, 6).bye()).to.deep.equal({ kind: 'bye', node: 'n', next: 6 });
  });
});

describe('what NATS has confirmed', () => {
  const head = { chatId: id<ChatId>(7), seq: 3 };

  it('is what was published before a round trip that succeeded', () => {
    const confirmations = new Confirmations(0);
    confirmations.unconfirmed.addHead('chat:7', head);
    const confirmation = confirmations.begin(100, 5);
    confirmations.unconfirmed.addHead('chat:7', { chatId: id(7), seq: 4 });
    if (confirmation) confirmations.end(confirmation, true);
    expect(confirmations).to.include({ confirmedAt: 100, confirmed: 5 });
    expect([...confirmations.unconfirmed.heads()]).to.deep.equal([
      { topic: 'chat:7', head: { chatId: 7, seq: 4 } },
    ]);
  });

  it('is nothing after a round trip that failed', () => {
    const confirmations = new Confirmations(0);
    confirmations.unconfirmed.addHead('chat:7', head);
    confirmations.unconfirmed.addSignal();
    const confirmation = confirmations.begin(100, 5);
    if (confirmation) confirmations.end(confirmation, false);
    expect(confirmations).to.include({ confirmedAt: 0, confirmed: 0 });
    expect([...confirmations.unconfirmed.heads()]).to.deep.equal([{ topic: 'chat:7', head }]);
    expect(confirmations.unconfirmed.needsReconcile).to.equal(true);
  });

  it('is asked for once at a time, and never counts back', () => {
    const confirmations = new Confirmations(0);
    const first = confirmations.begin(100, 5);
    expect(confirmations.begin(200, 6)).to.equal(undefined);
    if (first) confirmations.end(first, true);
    const second = confirmations.begin(300, 2); // after a restart of the stream
    if (second) confirmations.end(second, true);
    expect(confirmations).to.include({ confirmedAt: 300, confirmed: 5 });
  });
});

describe('the bytes in flight', () => {
  it('are those that no flush has confirmed, in whatever order flushes end', () => {
    const inFlight = new InFlight();
    inFlight.published(100);
    const first = inFlight.beginFlush();
    inFlight.published(50);
    const second = inFlight.beginFlush();
    inFlight.published(7);
    expect([inFlight.bytes, inFlight.unflushed]).to.deep.equal([157, 7]);
    inFlight.confirm(second);
    inFlight.confirm(first);
    expect(inFlight.bytes).to.equal(7);
  });

  it('are none on a new connection', () => {
    const inFlight = new InFlight();
    inFlight.published(100);
    inFlight.reset();
    expect([inFlight.bytes, inFlight.unflushed]).to.deep.equal([0, 0]);
  });
});

describe('round trips', () => {
  it('are shared by those who ask during one, and begin after they asked', async () => {
    const ends: (() => void)[] = [];
    const trips = new RoundTrips(() => new Promise<void>((resolve) => ends.push(resolve)));
    const [first, second, third] = [trips.settled(), trips.settled(), trips.settled()];
    expect(second).to.equal(third);
    expect(ends).to.have.length(1);
    ends[0]?.();
    await first;
    await Promise.resolve();
    expect(ends).to.have.length(2);
    ends[1]?.();
    await second;
    void trips.settled();
    expect(ends).to.have.length(3);
  });
});
