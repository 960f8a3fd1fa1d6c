import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { pino } from 'pino';
import type { NodeMessage } from '../../src/bus/bus.ts';
import { decode, decodeBatch } from '../../src/bus/nats/codec.ts';
import type { NatsLink } from '../../src/bus/nats/link.ts';
import { BATCHES, createSender } from '../../src/bus/nats/sender.ts';
import type { Topic } from '../../src/bus/topics.ts';
import type { ChatId } from '../../src/ids.ts';
import { createGuard } from '../../src/net/guard.ts';

/** Creates a sender over a connection with a limit of bytes per payload, and the list of its publications. */
function start(takesBytes = Number.POSITIVE_INFINITY) {
  const state = { batches: true, isUp: true };
  const published: { subject: string; messages: unknown[] }[] = [];
  const link: Pick<NatsLink, 'isUp' | 'publish'> = {
    get isUp() {
      return state.isUp;
    },
    publish(subject, payload) {
      if (!state.isUp || payload.length > takesBytes) return false;
      published.push({ subject, messages: subject === BATCHES ? batch(payload) : [decode(`${payload}`)] });
      return true;
    },
  };
  const sender = createSender(link as NatsLink, () => state.batches, createGuard(pino({ level: 'silent' })));
  return { sender, state, published };
}

function batch(payload: Uint8Array | string): [Topic, NodeMessage][] {
  const messages: [Topic, NodeMessage][] = [];
  const all = { has: () => true };
  decodeBatch(Buffer.from(payload as Uint8Array), all, (...message) => messages.push(message));
  return messages;
}

const message = (seq: number, frame = `${seq}`) => ({ frame, position: { chatId: 1 as ChatId, seq } });

describe('the batch sender', () => {
  it('sends the publications of one turn of the event loop as one batch, at its end', async () => {
    const { sender, published } = start();
    const [one, two] = [message(1), message(2)];
    sender.add('user:1', one);
    sender.add('user:2', one);
    sender.add('user:1', two);
    expect(published).to.deep.equal([]);
    expect(sender.waiting).to.be.above(0);
    await turn();
    sender.add('user:3', two);
    await turn();
    const messages = [
      ['user:1', one],
      ['user:2', one],
      ['user:1', two],
    ];
    expect(published).to.deep.equal([
      { subject: BATCHES, messages },
      { subject: BATCHES, messages: [['user:3', two]] },
    ]);
    expect(sender.waiting).to.equal(0);
  });

  it('sends publications at once that must not be overtaken', async () => {
    const { sender, published } = start();
    sender.add('user:1', message(1));
    sender.send();
    expect(published).to.have.length(1);
    await turn();
    expect(published).to.have.length(1);
  });

  it('sends large messages, and all messages while peers accept no batches, alone and in order', async () => {
    const { sender, state, published } = start();
    const large = message(2, 'x'.repeat(10_000));
    sender.add('user:1', message(1));
    sender.add('user:1', large);
    sender.add('user:1', message(3));
    state.batches = false;
    sender.add('chat:12', message(4));
    await turn();
    expect(published).to.deep.equal([
      { subject: BATCHES, messages: [['user:1', message(1)]] },
      { subject: 'parley.user.1', messages: [large] },
      { subject: BATCHES, messages: [['user:1', message(3)]] },
      { subject: 'parley.chat.12', messages: [message(4)] },
    ]);
  });

  it('sends a batch in pieces of bounded size', () => {
    const { sender, published } = start();
    for (let seq = 1; seq <= 100; seq++) sender.add('user:1', message(seq, 'x'.repeat(2_000)));
    expect(published.length).to.be.within(2, 10);
  });

  it('sends a batch at once that has 64 KiB, and knows when it sent the last one', () => {
    const { sender, published } = start();
    expect(sender.batchedAt).to.equal(Number.NEGATIVE_INFINITY);
    for (let seq = 1; seq < 32; seq++) sender.add('user:1', message(seq, 'x'.repeat(2_048 - 64)));
    expect([published.length, sender.waiting]).to.deep.equal([0, 31 * 2_048]);
    const before = performance.now();
    sender.add('user:1', message(32, 'x'.repeat(2_048 - 64)));
    expect([published.length, sender.waiting]).to.deep.equal([1, 0]);
    expect(sender.batchedAt).to.be.within(before, performance.now());
  });

  it('sends a message of 8 KiB in a batch, and a larger one alone', () => {
    const { sender, published } = start();
    expect(sender.add('user:1', message(1, 'x'.repeat(8_192 - 64)))).to.equal(8_192);
    expect(published).to.deep.equal([]);
    sender.add('user:1', message(2, 'x'.repeat(8_192 - 63)));
    expect(published.map(({ subject }) => subject)).to.deep.equal([BATCHES, 'parley.user.1']);
  });

  it('splits a batch that NATS refuses, and sends the position of a message that it refuses alone', async () => {
    const { sender, published } = start(150);
    const [small, large] = [message(1), message(2, 'x'.repeat(200))];
    sender.add('user:1', small);
    sender.add('user:2', small);
    sender.add('user:1', large);
    await turn();
    expect(published).to.deep.equal([
      { subject: 'parley.user.1', messages: [small] },
      { subject: 'parley.user.2', messages: [small] },
      { subject: 'parley.user.1', messages: [{ head: large.position }] },
    ]);
  });

  it('drops waiting publications when the connection breaks', async () => {
    const { sender, state, published } = start();
    sender.add('user:1', message(1));
    state.isUp = false;
    sender.clear();
    state.isUp = true;
    await turn();
    expect(published).to.deep.equal([]);
  });
});
