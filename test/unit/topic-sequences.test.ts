import { expect } from 'chai';
import type { BusMessage, PushContext } from '../../src/bus/bus.ts';
import { ChangeOrder } from '../../src/bus/ChangeOrder.ts';
import { HoldBudget } from '../../src/bus/ChatSequence.ts';
import { TopicSequences } from '../../src/bus/TopicSequences.ts';
import type { ChatId } from '../../src/ids.ts';
import { id } from '../support/ids.ts';

const CHAT: ChatId = id(7);

/** The sequences of a topic, what they delivered and called, and the gaps that they asked to be filled. */
function begin(heads?: Record<number, number>, snapshot?: string) {
  const events: string[] = [];
  const gaps: string[] = [];
  const excepted: unknown[] = [];
  const sequences = new TopicSequences(
    'user:1',
    (message) => {
      events.push('frame' in message ? message.frame : message.signal.kind);
      if ('frame' in message) excepted.push(message.except);
    },
    {
      budget: new HoldBudget(1_000),
      changes: new ChangeOrder(10),
      fillGap: (_, chatId, isUrgent) => gaps.push(`${chatId}${isUrgent ? ' at once' : ''}`),
    },
  );
  const places =
    heads && Object.entries(heads).map(([chatId, seq]) => ({ chatId: id<ChatId>(Number(chatId)), seq }));
  sequences.begin(places, snapshot);
  const take = (...seqs: number[]) => {
    for (const seq of seqs) sequences.take(message(seq));
  };
  const edit = (about: Omit<PushContext, 'chatId'>) =>
    sequences.take({ frame: 'edit', about: { chatId: CHAT, ...about } });
  return { sequences, events, excepted, gaps, take, edit };
}

const message = (seq: number, chatId = CHAT): BusMessage => ({ frame: `${seq}`, position: { chatId, seq } });

describe('the sequences of a topic', () => {
  it('begin a chat of which nothing is known with the first message that arrives', () => {
    const { events, gaps, take, sequences } = begin();
    take(9, 10);
    expect(events).to.deep.equal(['9', '10']);
    expect(gaps).to.deep.equal([]);
    expect(sequences.position(CHAT)).to.equal(10);
  });

  it('begin a chat behind its head, and one that is not among the heads with its first message', () => {
    const { events, take, sequences } = begin({ [CHAT]: 4 });
    take(4, 5);
    sequences.take(message(1, id(8)));
    expect(events).to.deep.equal(['5', '1']);
  });

  it('ask for a gap to be filled, again with each message behind it', () => {
    const { events, gaps, take } = begin({ [CHAT]: 4 });
    take(6, 7);
    expect(gaps).to.deep.equal(['7', '7']);
    take(5);
    expect(events).to.deep.equal(['5', '6', '7']);
    expect(gaps).to.have.length(2);
  });

  it('deliver signals and pushes of no chat at once, whatever is missing', () => {
    const { events, take, sequences } = begin({ [CHAT]: 4 });
    take(6);
    sequences.take({ signal: { kind: 'reconcile' } });
    sequences.take({ frame: 'profile' });
    expect(events).to.deep.equal(['reconcile', 'profile']);
  });

  it('deliver an edit behind the message that was the newest at its commit', () => {
    const { events, gaps, take, edit } = begin({ [CHAT]: 4 });
    edit({ head: 5, seq: 3, version: 1 });
    expect(gaps).to.deep.equal(['7']);
    take(5, 6);
    expect(events).to.deep.equal(['5', 'edit', '6']);
  });

  it('deliver an edit at once where it is not known how far the chat is', () => {
    const { events, gaps, edit } = begin();
    edit({ head: 5, seq: 3, version: 1 });
    expect([events, gaps]).to.deep.equal([['edit'], []]);
  });

  it('call a reply at once where it is not known how far the chat is', () => {
    const { events, sequences } = begin();
    sequences.after({ chatId: CHAT, seq: 5 }, () => events.push('reply'));
    expect(events).to.deep.equal(['reply']);
  });

  it('keep a reply back until what comes before it was delivered', () => {
    const { events, take, sequences } = begin({ [CHAT]: 4 });
    sequences.after({ chatId: CHAT, seq: 5 }, () => events.push('reply'));
    take(6);
    expect(events).to.deep.equal([]);
    take(5);
    expect(events).to.deep.equal(['5', 'reply', '6']);
  });

  it('have a chat read up to a head, at once up to one that is not known', () => {
    const { gaps, sequences } = begin({ [CHAT]: 4 });
    sequences.catchUp({ chatId: CHAT, seq: 6 }, undefined);
    sequences.catchUp({ chatId: CHAT, seq: Number.POSITIVE_INFINITY }, undefined);
    expect(gaps).to.deep.equal(['7', '7 at once']);
    expect(sequences.plan(CHAT)?.next()).to.deep.equal({ kind: 'readHead' });
  });

  it('have exactly what is missing read, up to the head that is named or found', () => {
    const { sequences } = begin({ [CHAT]: 4 });
    sequences.catchUp({ chatId: CHAT, seq: 6 }, undefined);
    expect(sequences.plan(CHAT)?.next()).to.deep.equal({ kind: 'readMessages', from: 5, to: 6 });
    const { sequences: open } = begin({ [CHAT]: 4 });
    open.catchUp({ chatId: CHAT, seq: Number.POSITIVE_INFINITY }, undefined);
    const plan = open.plan(CHAT);
    plan?.headRead(4);
    expect(plan?.next()).to.equal(undefined);
  });

  it('read nothing up to a head that was delivered, or of a chat of which nothing is known', () => {
    const { gaps, sequences } = begin({ [CHAT]: 4 });
    sequences.catchUp({ chatId: CHAT, seq: 4 }, undefined);
    const unknown = begin();
    unknown.sequences.catchUp({ chatId: CHAT, seq: 9 }, undefined);
    expect([gaps, unknown.gaps]).to.deep.equal([[], []]);
    expect(unknown.sequences.plan(CHAT)).to.equal(undefined);
  });

  it('look up in the snapshot where a chat begins', () => {
    const { sequences, gaps } = begin(undefined, '10:20:');
    sequences.catchUp({ chatId: CHAT, seq: 9 }, undefined);
    expect(gaps).to.deep.equal(['7']);
    expect(sequences.plan(CHAT)?.next()).to.deep.equal({ kind: 'readStart', snapshot: '10:20:' });
  });

  it('keep the first heads and the first snapshot', () => {
    const { sequences } = begin({ [CHAT]: 4 }, '1:1:');
    sequences.begin([{ chatId: CHAT, seq: 9 }], '2:2:');
    expect(sequences.position(CHAT)).to.equal(4);
  });

  it('keep how far a chat was delivered when the heads arrive later, and the first of two heads of a chat', () => {
    const { sequences, take } = begin();
    take(9);
    sequences.begin(
      [
        { chatId: CHAT, seq: 20 },
        { chatId: id(8), seq: 5 },
        { chatId: id(8), seq: 6 },
      ],
      undefined,
    );
    expect([CHAT, id<ChatId>(8)].map((chat) => sequences.position(chat))).to.deep.equal([9, 5]);
    sequences.close();
    expect(sequences.position(CHAT)).to.equal(undefined);
  });

  it('deliver an edit at once that the chat has already reached', () => {
    const { events, gaps, edit } = begin({ [CHAT]: 4 });
    edit({ head: 4, seq: 3, version: 1 });
    expect([events, gaps]).to.deep.equal([['edit'], []]);
  });

  it('deliver an edit of a new chat behind its messages', () => {
    const { sequences, events, gaps, edit, take } = begin({});
    edit({ head: 1, seq: 1, version: 1 });
    expect([events, gaps]).to.deep.equal([[], ['7']]);
    take(1);
    expect(events).to.deep.equal(['1', 'edit']);
    expect(sequences.position(CHAT)).to.equal(1);
  });

  it('call a reply at once that the chat has already reached', () => {
    const { events, sequences } = begin({ [CHAT]: 4 });
    sequences.after({ chatId: CHAT, seq: 4 }, () => events.push('reply'));
    expect(events).to.deep.equal(['reply']);
    expect(sequences.plan(CHAT)).to.equal(undefined);
  });

  it('leave out the connection with the reply of what is read, if there is one', () => {
    const { sequences, events, excepted } = begin({ [CHAT]: 4 });
    sequences.catchUp({ chatId: CHAT, seq: 5 }, undefined);
    sequences.catchUp({ chatId: CHAT, seq: 6 }, id(3));
    sequences.plan(CHAT)?.messagesRead(
      [5, 6].map((seq) => ({ seq, frame: `${seq}` })),
      6,
    );
    expect([events, excepted]).to.deep.equal([
      ['5', '6'],
      [undefined, 3],
    ]);
  });

  it('ask for nothing when a message that is caught up with was delivered meanwhile', () => {
    const { sequences, take, gaps } = begin({ [CHAT]: 4 });
    take(5, 6);
    sequences.catchUp({ chatId: CHAT, seq: 6 }, undefined);
    expect(gaps).to.deep.equal([]);
  });

  it('remember how far a gap was filled until it is', () => {
    const { sequences, take } = begin({ [CHAT]: 4 });
    take(9);
    const plan = sequences.plan(CHAT);
    expect(sequences.plan(CHAT)).to.equal(plan);
    sequences.filled(CHAT);
    expect(sequences.plan(CHAT)).to.not.equal(plan);
  });

  it('deliver nothing once they are closed, but call every reply', () => {
    const { events, take, edit, sequences } = begin({ [CHAT]: 4 });
    take(6);
    edit({ head: 6, seq: 3, version: 1 });
    sequences.after({ chatId: CHAT, seq: 6 }, () => events.push('reply'));
    sequences.close();
    expect(events).to.deep.equal(['reply']);
    expect(sequences.isClosed).to.equal(true);
    expect(sequences.plan(CHAT)).to.equal(undefined);
  });
});
