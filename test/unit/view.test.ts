import { mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import type { SendRequest } from '../../src/client/calls.ts';
import { ParleyError } from '../../src/client/errors.ts';
import { createPresences } from '../../src/client/view/presences.ts';
import { Store } from '../../src/client/view/Store.ts';
import { ADA, BOB, row, viewOf } from './client-view.ts';

describe('the view of the typed client', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));

  const typing = { typing: true, expiresInSeconds: 6 };

  it('stops showing a typing user who went silent', async () => {
    const { chat, push } = await viewOf();
    push('typing', typing);
    mock.timers.tick(5_999);
    expect(chat.typing.value).to.deep.equal(['Bob']);
    mock.timers.tick(1);
    expect(chat.typing.value).to.deep.equal([]);
  });

  it('shows a user who types on for longer', async () => {
    const { chat, push } = await viewOf();
    push('typing', typing);
    mock.timers.tick(4_000);
    push('typing', typing);
    mock.timers.tick(5_999);
    expect(chat.typing.value).to.deep.equal(['Bob']);
    mock.timers.tick(1);
    expect(chat.typing.value).to.deep.equal([]);
  });

  it('stops showing a typing user who stopped, or whose message arrived', async () => {
    const { chat, push } = await viewOf();
    push('typing', typing);
    push('typing', { typing: false });
    expect(chat.typing.value).to.deep.equal([]);
    push('typing', typing);
    push('privateMessage', {
      messageId: 110,
      seq: 10,
      createdAt: row.createdAt,
      message: 'Hi',
      mentions: [],
    });
    expect(chat.typing.value).to.deep.equal([]);
  });

  it('keeps positions when older ones arrive', async () => {
    const { view, push } = await viewOf();
    const positions = () => {
      const { readSeq, deliveredSeq, otherReadSeq, otherDeliveredSeq } = view.chats.value[0] ?? {};
      return [readSeq, deliveredSeq, otherReadSeq, otherDeliveredSeq];
    };
    push('markRead', { senderId: ADA, receiverId: BOB, seq: 3 });
    push('markDelivered', { senderId: ADA, receiverId: BOB, seq: 3 });
    push('markRead', { seq: 3 });
    push('markDelivered', { seq: 3 });
    expect(positions()).to.deep.equal([5, 7, 4, 6]);
    push('markRead', { seq: 8 });
    push('markDelivered', { senderId: ADA, receiverId: BOB, seq: 8 });
    expect(positions()).to.deep.equal([5, 8, 8, 8]);
    mock.timers.tick(8_000); // reads the chat again in an older state, and reports that all has arrived
    await turn();
    expect(positions()).to.deep.equal([5, 9, 8, 8]);
  });

  it('has chats whose functions work without them', async () => {
    const { chat } = await viewOf();
    const { send, discard, markRead, setTyping, loadOlder } = chat;
    const { subscribe } = chat.messages;
    let latest = chat.messages.value;
    subscribe((messages) => {
      latest = messages;
    });
    const sent = send('Hi');
    await turn();
    expect(latest.map(({ content }) => content)).to.deep.equal(['Hi']);
    await Promise.all([sent, markRead(), loadOlder()]);
    setTyping(true);
    discard('unknown');
    expect(chat.messages.subscribe).to.equal(subscribe);
    expect(chat.messages.value).to.equal(chat.messages.value);
  });

  it('has no timers after the client was closed', async () => {
    const { chat, events, push, calls } = await viewOf();
    push('typing', typing);
    events.emit('state', 'closed');
    expect(chat.typing.value).to.deep.equal([]);
    const { length } = calls;
    push('typing', typing);
    mock.timers.tick(60_000);
    await turn();
    expect(calls).to.have.length(length);
  });
});

describe('the presence in the view of the typed client', () => {
  it('is subscribed to once for each user, a hundred at a time; a refusal concerns one command', async () => {
    const commands: number[][] = [];
    const request: SendRequest = async (_type, params, take) => {
      const { userIds } = params as { userIds: number[] };
      commands.push(userIds);
      if (userIds.length === 100) throw new ParleyError('CONFLICT', 'Too many users');
      return take({ data: userIds.map((userId) => ({ userId, online: true, lastSeenAt: null })) } as never);
    };
    const presence = createPresences({ on: () => () => {} }, request);
    const ids = Array.from({ length: 150 }, (_, index) => index + 1);
    const observed = [...ids, ...ids].map((userId) => presence(userId));
    await turn();
    expect(commands).to.deep.equal([ids.slice(0, 100), ids.slice(100)]);
    expect(observed.filter(({ value }) => value?.online)).to.have.length(2 * 50);
  });
});

describe('an observable value', () => {
  it('notifies each subscriber once for all changes of one turn, until it unsubscribes', async () => {
    let count = 0;
    const store = new Store(() => count);
    const seen: string[] = [];
    const stops = ['a', 'b'].map((name) => store.subscribe((value) => seen.push(`${name}${value}`)));
    for (count = 1; count < 3; count++) store.changed();
    await turn();
    stops[0]?.();
    store.changed();
    await turn();
    expect(seen).to.deep.equal(['a3', 'b3', 'b3']);
  });

  it('computes the value when it is read after a change, and keeps the same object until the next', () => {
    let computed = 0;
    const store = new Store(() => ({ computed: ++computed }));
    store.changed();
    store.changed();
    expect(computed).to.equal(1);
    expect(store.value).to.equal(store.value).and.deep.equal({ computed: 2 });
  });
});
