import { mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { ParleyError } from '../../src/client/errors.ts';
import { Timers } from '../../src/client/view/Timers.ts';
import { ADA, type Asked, BOB, createViewOf, row, viewOf } from './client-view.ts';

const message = (seq: number, fields: object = {}) => ({
  ...{ messageId: 100 + seq, seq, version: 0, kind: 'text', senderId: BOB, senderName: 'Bob' },
  ...{ receiverId: ADA, content: `${seq}`, createdAt: row.createdAt, editedAt: null, deletedAt: null },
  ...{ mentions: [], reactions: [], pinned: false, forwardedFrom: null, event: null, ...fields },
});

/** Creates the view of Ada, on a server where the dialog with Bob is answered by `answer`. */
function chatOf(answer: (params: Asked[1]) => object | Promise<object>) {
  const all = createViewOf((type, params) =>
    type === 'getMessages' ? answer(params) : { data: type === 'getChat' ? row : [row] },
  );
  return {
    ...all,
    reads: () => all.asked.filter(([type]) => type === 'getMessages').map(([, params]) => params),
    seqs: () => all.chat.messages.value.map(({ seq }) => seq),
    arrive: (seq: number, fields: object = {}) =>
      all.push('privateMessage', { ...message(seq), message: `${seq}`, ...fields }),
  };
}

describe('a chat in the view of the typed client', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: Date.parse(row.createdAt) }));

  it('shows others that the user types every three seconds, and the end once', async () => {
    const { chat, client, calls } = await viewOf();
    const typing = () => {
      const sent = calls.filter(([type]) => type === 'typing').map((call) => call[1].typing);
      calls.splice(0);
      return sent;
    };
    chat.setTyping(false);
    expect(typing()).to.deep.equal([]);
    for (const milliseconds of [0, 1_000, 2_000]) {
      mock.timers.tick(milliseconds);
      chat.setTyping(true);
    }
    expect(typing()).to.deep.equal([true]);
    mock.timers.tick(1);
    chat.setTyping(true);
    for (let times = 0; times < 2; times++) chat.setTyping(false);
    expect(typing()).to.deep.equal([true, false]);
    chat.setTyping(true);
    await chat.send('Hi');
    chat.setTyping(false);
    chat.setTyping(true);
    expect(typing(), 'a message ends it').to.deep.equal([true, true]);
    client.state = 'offline';
    chat.setTyping(false);
    expect(typing()).to.deep.equal([]);
  });

  it('is marked as read if something is unread or the chat is marked as unread, and only then', async () => {
    const rows = [
      { ...row, readSeq: 9 },
      { ...row, readSeq: 8 },
      { ...row, readSeq: 9, unreadCount: 1 },
      { ...row, readSeq: 9, markedUnread: true },
    ];
    const marked: unknown[] = [];
    for (const data of rows) {
      const { chat, calls } = await viewOf(() => ({ data: [data] }));
      await chat.markRead();
      marked.push(calls.map(([type, { seq }]) => `${type} ${seq}`));
    }
    expect(marked).to.deep.equal([[], ['markRead 9'], ['markRead 9'], ['markRead 9']]);
  });

  it('drops what was read before it had to be read again', async () => {
    const replies: ((reply: object) => void)[] = [];
    const { events, seqs, view } = chatOf(
      () =>
        new Promise((resolve) => {
          replies.push(resolve);
        }),
    );
    await view.chats.loaded;
    expect(seqs()).to.deep.equal([]);
    events.emit('reset', undefined);
    replies[0]?.({ data: [message(8)], more: true });
    await turn();
    expect(seqs()).to.deep.equal([]);
    replies[1]?.({ data: [message(9)], more: false });
    await turn();
    expect(seqs()).to.deep.equal([9]);
  });

  it('is not read before it is used', async () => {
    const { events, reads, view, arrive } = chatOf(() => ({ data: [], more: false }));
    await view.chats.loaded;
    events.emit('reset', undefined);
    arrive(12);
    await turn();
    expect(reads()).to.deep.equal([]);
  });

  it('is read again after a gap, and when the server has fewer messages', async () => {
    const { events, reads, seqs, arrive } = chatOf(() => ({ data: [message(9)], more: false }));
    seqs();
    await turn();
    arrive(10);
    expect([reads().length, ...seqs()]).to.deep.equal([1, 9, 10]);
    const kept = { kind: 'chat', receiverId: BOB, unreadCount: 0, mentionCount: 0, markedUnread: false };
    events.emit('sync', { ...kept, lastSeq: 10 } as never);
    expect(reads()).to.have.length(1);
    arrive(12);
    await turn();
    expect([reads().length, ...seqs()]).to.deep.equal([2, 9]);
    events.emit('sync', { ...kept, lastSeq: 8 } as never);
    expect(reads()).to.have.length(3);
  });

  it('is read again half a minute after the server took too long, and after the time that it names', async () => {
    const errors = [new ParleyError('TIMEOUT', ''), new ParleyError('RATE_LIMITED', '', 5)];
    const { reads, seqs } = chatOf(() => {
      const error = errors.shift();
      if (error) throw error;
      return { data: [message(9)], more: false };
    });
    seqs();
    for (const [index, milliseconds] of [30_000, 5_000].entries()) {
      await turn();
      mock.timers.tick(milliseconds - 1);
      await turn();
      expect(reads()).to.have.length(index + 1);
      mock.timers.tick(1);
      await turn();
    }
    expect(seqs()).to.deep.equal([9]);
  });

  it('has no older messages once the server refuses them, and can be asked again after another error', async () => {
    const errors = [new ParleyError('INTERNAL', ''), new ParleyError('NOT_A_MEMBER', '')];
    const { chat, reads, seqs } = chatOf(({ beforeSeq }) => {
      if (beforeSeq === undefined) return { data: [message(9)], more: true };
      throw errors.shift() ?? new Error('there is no third request');
    });
    seqs();
    await turn();
    const codes: unknown[] = [];
    for (const isLeft of [true, false]) {
      await chat.loadOlder().catch(({ code }) => codes.push(code));
      expect(chat.hasOlder).to.equal(isLeft);
    }
    expect(codes).to.deep.equal(['INTERNAL', 'NOT_A_MEMBER']);
    expect(reads().slice(1)).to.deep.equal(Array(2).fill({ receiverId: BOB, beforeSeq: 9, limit: 50 }));
  });

  it('notifies its subscribers when the server refuses its messages', async () => {
    const { chat } = chatOf(() => {
      throw new ParleyError('NOT_FOUND', 'There is no chat with this user');
    });
    const seen: unknown[] = [];
    chat.messages.subscribe(({ length }) => seen.push([chat.hasOlder, length]));
    await turn();
    await turn();
    expect(seen.at(-1)).to.deep.equal([false, 0]);
  });

  it('is read back to a message and no further', async () => {
    const { chat, reads, seqs } = chatOf(({ beforeSeq = 400 }) => ({
      data: [message(Number(beforeSeq) - 100)],
      more: true,
    }));
    seqs();
    await turn();
    await chat.loadOlder(101);
    expect(seqs()).to.deep.equal([100, 200, 300]);
    expect(reads().slice(1)).to.deep.equal([
      { receiverId: BOB, beforeSeq: 300, limit: 100 },
      { receiverId: BOB, beforeSeq: 200, limit: 100 },
    ]);
  });

  it('is read back to its first message if the one that is asked for is before it', async () => {
    const { chat, reads, seqs } = chatOf(({ beforeSeq }) => ({
      data: [message(beforeSeq === undefined ? 9 : 5)],
      more: beforeSeq === undefined,
    }));
    seqs();
    await turn();
    await chat.loadOlder(1);
    expect([reads().length, ...seqs()]).to.deep.equal([2, 5, 9]);
  });

  it('has older messages again after the user was away from the group', async () => {
    const { view, push } = createViewOf((type) => ({ data: type === 'getChat' ? null : [], more: true }));
    const group = view.chat({ groupId: 7 });
    group.messages;
    await turn();
    const event = { groupId: 7, userId: ADA, messageId: 1, createdAt: row.createdAt, mentions: [] };
    expect(group.hasOlder).to.equal(true);
    push('removeUserFromGroup', { ...event, seq: 10 });
    expect(group.hasOlder).to.equal(false);
    push('addUserInGroup', { ...event, seq: 12 });
    expect(group.hasOlder).to.equal(true);
  });

  describe('of a group', () => {
    const GROUP = { groupId: 7 };
    const event = { ...GROUP, userId: ADA, messageId: 110, seq: 10, createdAt: row.createdAt, mentions: [] };

    /** Creates the view of Ada on a server with one group, whose messages she has read. */
    async function groupOf() {
      const listed = { ...row, ...GROUP, groupName: 'Climbers', receiverId: 0, receiverName: null };
      const all = await viewOf((type) => ({
        data: type === 'getMessages' ? [message(9, GROUP)] : type === 'getChat' ? listed : [listed],
        more: false,
      }));
      const group = all.view.chat(GROUP);
      group.messages;
      await turn();
      all.asked.splice(0);
      return { ...all, shown: () => [all.view.chats.value.length, group.messages.value.length] };
    }

    it('is gone when the user leaves it, by a command or while the client was offline', async () => {
      const leavings = [
        ({ events }: Awaited<ReturnType<typeof groupOf>>) =>
          events.emit('done', { type: 'leaveGroup', params: GROUP, result: { ...event, userId: undefined } }),
        ({ events }: Awaited<ReturnType<typeof groupOf>>) =>
          events.emit('sync', { kind: 'left', ...GROUP } as never),
      ];
      for (const leave of leavings) {
        const all = await groupOf();
        expect(all.shown()).to.deep.equal([1, 1]);
        leave(all);
        expect(all.shown()).to.deep.equal([0, 0]);
      }
    });

    it('is read again when the user is added to it, also if the removal was not seen', async () => {
      const { push, asked } = await groupOf();
      push('addUserInGroup', event);
      expect(asked.map(([type]) => type)).to.have.members(['getMessages', 'getChat']);
    });
  });

  it('shows how far own messages of a dialog have come, and nothing about those of others or in groups', async () => {
    const rows = [1, 4, 5, 6, 7].map((seq) => message(seq, { senderId: seq === 1 ? BOB : ADA }));
    const { chat, view, push } = chatOf(({ groupId }) => ({
      data: rows.map((read) => ({ ...read, ...(groupId !== undefined && { groupId }) })),
      more: false,
    }));
    await view.chats.loaded;
    const statuses = async (shown: typeof chat) => {
      shown.messages;
      await turn();
      return shown.messages.value.map(({ status }) => status);
    };
    expect(await statuses(chat)).to.deep.equal(['sent', 'read', 'delivered', 'delivered', 'sent']);
    expect(await statuses(view.chat({ groupId: 7 }))).to.deep.equal(Array(5).fill('sent'));
    push('markRead', { seq: 6 });
    expect(await statuses(chat)).to.deep.equal(['sent', 'read', 'read', 'read', 'sent']);
  });

  it('has changes that arrive before the messages, each of its own user', async () => {
    let reply = (_page: object) => {};
    const { chat, push, seqs } = chatOf(
      () =>
        new Promise((resolve) => {
          reply = resolve;
        }),
    );
    seqs();
    const change = (type: string, seq: number, version: number, fields: object) =>
      push(type, { messageId: 100 + seq, seq, version, mentions: [], ...fields });
    change('addReaction', 8, 1, { emoji: '👍', count: 1 });
    change('addReaction', 8, 2, { emoji: '🎉', count: 1, senderId: ADA, receiverId: BOB });
    change('deleteMessage', 9, 1, { deletedAt: row.createdAt });
    reply({ data: [message(8), message(9, { pinned: true })], more: false });
    await turn();
    const [first, second] = chat.messages.value;
    expect(first?.reactions).to.deep.equal([
      { emoji: '🎉', count: 1, own: true },
      { emoji: '👍', count: 1, own: false },
    ]);
    expect(second).to.include({ content: '', pinned: false, deletedAt: row.createdAt });
  });

  it('does not show that the user types on another device', async () => {
    const { chat, push } = await viewOf();
    push('typing', { senderId: ADA, senderName: 'Ada', receiverId: BOB, typing: true, expiresInSeconds: 6 });
    expect(chat.typing.value).to.deep.equal([]);
  });

  it('has changes of older messages that arrive while those are read', async () => {
    let reply = (_page: object) => {};
    const { chat, push, seqs } = chatOf(({ beforeSeq }) =>
      beforeSeq === undefined
        ? { data: [message(9)], more: true }
        : new Promise((resolve) => {
            reply = resolve;
          }),
    );
    seqs();
    await turn();
    const reading = chat.loadOlder();
    push('editMessage', { messageId: 105, seq: 5, version: 1, message: 'changed', mentions: [BOB] });
    reply({ data: [message(5)], more: false });
    await reading;
    expect(chat.messages.value[0]).to.deep.include({ content: 'changed', mentions: [BOB] });
  });

  it('shows a message with its options while it is sent, and under the same key once it is stored', async () => {
    const { chat, calls, events, seqs } = chatOf(() => ({ data: [message(9)], more: false }));
    seqs();
    await turn();
    const sent = chat.send('Hi', { silent: true });
    const sending = chat.messages.value[1];
    const clientMessageId = sending?.key;
    expect(sending).to.include({ status: 'sending', content: 'Hi', silent: true });
    const params = { receiverId: BOB, content: 'Hi', clientMessageId, silent: true };
    expect(calls.at(-1)).to.deep.equal(['privateMessage', params]);
    await sent;
    const result = { messageId: 110, seq: 10, createdAt: row.createdAt };
    events.emit('done', { type: 'privateMessage', params, result });
    const fields = { ...result, senderId: ADA, receiverId: BOB, message: 'Hi', mentions: [] };
    events.emit('sent', { type: 'privateMessage', params: fields } as never);
    expect(chat.messages.value.map(({ key }) => key)).to.deep.equal(['109', clientMessageId]);
    expect(chat.messages.value[1]).to.include({ status: 'sent', seq: 10 });
  });

  it('has its user as the sender of a message from before that user was known', async () => {
    const { chat, client, events } = await viewOf();
    const { self } = client;
    Object.assign(client, { self: undefined });
    chat.send('Hi');
    expect(chat.messages.value[0]).to.include({ isOwn: true, senderId: 0 });
    Object.assign(client, { self });
    events.emit('state', 'online');
    expect(chat.messages.value[0]).to.include({ isOwn: true, senderId: ADA, senderName: 'Ada' });
  });

  it('shows why a message was not sent', async () => {
    const { chat, client } = await viewOf();
    const error = new ParleyError('FORBIDDEN', 'You are blocked');
    client.call = async () => {
      throw error;
    };
    expect(await chat.send('Hi').catch((reason) => reason)).to.equal(error);
    expect(chat.messages.value[0]).to.include({ status: 'failed', error });
  });

  it('sends a message with its ifSeq, which is no part of the message that is shown', async () => {
    const { chat, client } = await viewOf();
    const calls: unknown[] = [];
    const error = new ParleyError('CONFLICT', 'Too late', undefined, 5);
    client.call = async (_: unknown, params: object) => {
      calls.push(params);
      throw error;
    };
    expect(await chat.send('Mine', { ifSeq: 4 }).catch((reason) => reason)).to.equal(error);
    expect(calls).to.have.length(1);
    expect(calls[0]).to.include({ content: 'Mine', ifSeq: 4 });
    expect(chat.messages.value.at(-1)).to.include({ status: 'failed', error }).and.not.have.property('ifSeq');
  });

  it('keeps a message that is being sent when that is discarded', async () => {
    const { chat } = await viewOf();
    chat.send('Hi');
    const [sending] = chat.messages.value;
    chat.discard(sending?.key ?? '');
    expect(chat.messages.value).to.deep.equal([sending]);
  });

  it('has the new name of a user in frames with the old one, for a minute', async () => {
    const forwarded = { forwardedFrom: BOB, forwardedFromName: 'Bob' };
    const { chat, push, arrive, seqs } = chatOf(() => ({ data: [message(9, forwarded)], more: false }));
    const names = () => chat.messages.value.map(({ senderName }) => senderName);
    seqs();
    await turn();
    push('updateProfile', { userId: BOB, username: 'Robert' });
    arrive(10);
    expect(names()).to.deep.equal(['Robert', 'Robert']);
    expect(chat.messages.value[0]?.forwardedFromName).to.equal('Robert');
    mock.timers.tick(60_000);
    arrive(11, { senderName: 'Rob' });
    expect(names()).to.deep.equal(['Robert', 'Robert', 'Rob']);
  });
});

describe('the timers of a view', () => {
  it('run once each, by their end at the latest', () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const timers = new Timers();
    const runs: string[] = [];
    for (const [name, milliseconds] of [
      ['one', 10],
      ['two', 20],
      ['three', 30],
    ] as const) {
      const stop = timers.start(() => runs.push(name), milliseconds);
      if (name === 'two') stop();
    }
    mock.timers.tick(10);
    timers.end();
    timers.end();
    timers.start(() => runs.push('four'), 10);
    mock.timers.tick(1_000);
    mock.timers.reset();
    expect(runs).to.deep.equal(['one', 'three']);
  });
});
