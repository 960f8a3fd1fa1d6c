import { mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { ParleyError } from '../../src/client/errors.ts';
import { ADA, type Asked, BOB, row, viewOf } from './client-view.ts';

const GROUP = 7;
const groupRow = { ...row, groupId: GROUP, groupName: 'Climbers', receiverId: 0, receiverName: null };
/** The fields of an event in the group that its members receive as a message. */
const event = {
  groupId: GROUP,
  messageId: 110,
  seq: 10,
  createdAt: row.createdAt,
  message: '',
  mentions: [],
};

/** Creates the view of Ada on a server that lists `rows`, and answers each `getChat` when the test lets it. */
async function heldView(rows: readonly object[]) {
  const waiting: ((row: object | Error) => void)[] = [];
  const all = await viewOf((type) =>
    type === 'getChat'
      ? new Promise((resolve, reject) => {
          waiting.push((data) => (data instanceof Error ? reject(data) : resolve({ data })));
        })
      : { data: rows, more: false },
  );
  /** Answers the first `getChat` that waits. */
  const answer = async (data: object | Error) => {
    waiting.shift()?.(data);
    await turn();
  };
  return { ...all, answer, reads: () => all.asked.filter(([type]) => type === 'getChat').length };
}

describe('the list of chats of the typed client', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: Date.parse(row.createdAt) }));

  it('is read to its last page', async () => {
    const pageOf = ({ page }: Asked[1]) =>
      page === 1 ? Array.from({ length: 50 }, (_, index) => ({ ...groupRow, groupId: index + 1 })) : [row];
    const { view, asked } = await viewOf((_, params) => ({ data: pageOf(params) }));
    expect(view.chats.value).to.have.length(51);
    expect(asked.map(([, params]) => params)).to.deep.equal([
      { limit: 50, page: 1 },
      { limit: 50, page: 2 },
    ]);
  });

  it('has no chat any more that is not listed after a reset, if the user is not in it', async () => {
    let rows: object[] = [row, groupRow];
    const { view, events } = await viewOf((type, { groupId }) => {
      if (type === 'listLastMessage') return { data: rows };
      if (groupId === GROUP) throw new ParleyError('NOT_A_MEMBER', '');
      return { data: row };
    });
    rows = [];
    events.emit('reset', undefined);
    await turn();
    expect(view.chats.value.map(({ key }) => key)).to.deep.equal([`user:${BOB}`]);
  });

  it('shows a new setting at once, whatever an earlier read returns, and then that of the server', async () => {
    const { view, push, answer } = await heldView([row]);
    const isMuted = () => view.chats.value[0]?.muted;
    push('markUnread', { senderId: ADA, receiverId: BOB }); // is read again
    push('muteChat', { senderId: ADA, receiverId: BOB, muted: true });
    expect(isMuted()).to.equal(true);
    await answer({ ...row, muted: false });
    expect(isMuted()).to.equal(true);
    mock.timers.tick(500);
    await answer({ ...row, muted: false });
    expect(isMuted()).to.equal(false);
  });

  it('does not take a chat back from a read before the user left it, but from one after that', async () => {
    const { view, push, answer } = await heldView([groupRow]);
    push('muteChat', { senderId: ADA, groupId: GROUP, muted: true }); // is read again
    push('removeUserFromGroup', { ...event, userId: ADA });
    await answer(groupRow);
    expect(view.chats.value).to.deep.equal([]);
    push('addUserInGroup', { ...event, seq: 11, userId: ADA });
    mock.timers.tick(500);
    await answer(groupRow);
    expect(view.chats.value).to.have.length(1);
  });

  it('has the present names of users and groups', async () => {
    const { view, push, events } = await viewOf(() => ({ data: [row, groupRow] }));
    const names = () => view.chats.value.map(({ name, lastMessage }) => `${name}, ${lastMessage.senderName}`);
    push('updateProfile', { userId: BOB, about: 'Engines' });
    expect(names()).to.deep.equal(['Bob, Bob', 'Climbers, Bob']);
    push('updateProfile', { userId: BOB, username: 'Robert' });
    expect(names()).to.deep.equal(['Robert, Robert', 'Climbers, Robert']);
    events.emit('sync', { kind: 'user', userId: BOB, username: 'Rob' } as never);
    const state = { unreadCount: 0, mentionCount: 0, markedUnread: false, lastSeq: 9 };
    const group = { groupName: 'Sailors' };
    events.emit('sync', { kind: 'chat', groupId: GROUP, group, ...state } as never);
    expect(names()).to.deep.equal(['Rob, Rob', 'Sailors, Rob']);
  });

  it('has the new name of the other person, also after a read with the old one', async () => {
    const own = { ...row, senderId: ADA, senderName: 'Ada', receiverId: BOB, receiverName: 'Bob' };
    const { view, push, events, asked } = await viewOf(() => ({ data: [own] }));
    const name = () => view.chats.value[0]?.name;
    expect(name()).to.equal('Bob');
    push('updateProfile', { userId: BOB, username: 'Robert' });
    expect(name()).to.equal('Robert');
    events.emit('reset', undefined);
    await turn();
    expect([asked.length, name()]).to.deep.equal([2, 'Robert']);
  });

  it('has a chat that was read again if the server has fewer messages than before', async () => {
    const { view, events, answer, reads } = await heldView([row]);
    const state = { unreadCount: 0, mentionCount: 0, markedUnread: false };
    events.emit('sync', { kind: 'chat', receiverId: BOB, lastSeq: 9, ...state } as never);
    expect(reads()).to.equal(0);
    events.emit('sync', { kind: 'chat', receiverId: BOB, lastSeq: 5, ...state } as never);
    await answer({ ...row, seq: 5, content: 'restored' });
    expect(view.chats.value.map(({ lastMessage }) => lastMessage.content)).to.deep.equal(['restored']);
  });

  it('is read again after changes of messages that may count as unread, and of those to come', async () => {
    const { push, reads, answer } = await heldView([{ ...row, version: 2 }]);
    const changed = async (type: string, fields: object) => {
      const before = reads();
      push(type, { mentions: [], version: 3, content: 'changed', ...fields });
      await answer(row);
      mock.timers.tick(60_000);
      return reads() - before;
    };
    const deletedAt = row.createdAt;
    expect(await changed('deleteMessage', { messageId: 103, seq: 3, deletedAt }), 'a read one').to.equal(0);
    expect(await changed('deleteMessage', { messageId: 108, seq: 8, deletedAt })).to.equal(1);
    expect(await changed('editMessage', { messageId: 108, seq: 8 }), 'no mention').to.equal(0);
    expect(await changed('editMessage', { messageId: 108, seq: 8, mentions: [ADA] })).to.equal(1);
    expect(await changed('addReaction', { messageId: 108, seq: 8, emoji: 'x', count: 1 })).to.equal(0);
    expect(await changed('editMessage', { messageId: 112, seq: 12 }), 'to come').to.equal(1);
    expect(await changed('editMessage', { messageId: 109, seq: 9, version: 1 }), 'an old one').to.equal(1);
  });

  it('shows the newest text of its last message only', async () => {
    const { view, push } = await viewOf();
    const content = () => view.chats.value[0]?.lastMessage.content;
    const edit = (messageId: number, version: number) =>
      push('editMessage', { messageId, seq: messageId - 100, version, message: `${version}`, mentions: [] });
    edit(108, 9);
    expect(content()).to.equal('Hi');
    edit(109, 5);
    edit(109, 4);
    expect(content()).to.equal('5');
  });

  it('reports what has arrived after half a second, once for all messages of a chat', async () => {
    const { push, calls } = await viewOf();
    const message = (seq: number) =>
      push('privateMessage', { ...event, groupId: undefined, messageId: 100 + seq, seq });
    const delivered = () => calls.filter(([type]) => type === 'markDelivered').map(([, { seq }]) => seq);
    mock.timers.tick(500);
    expect(delivered()).to.deep.equal([9]);
    for (const seq of [10, 11]) message(seq);
    mock.timers.tick(499);
    expect(delivered()).to.deep.equal([9]);
    mock.timers.tick(1);
    expect(delivered()).to.deep.equal([9, 11]);
    message(12);
    push('markRead', { senderId: ADA, receiverId: BOB, seq: 12 });
    mock.timers.tick(500);
    expect(delivered(), 'what was read was delivered').to.deep.equal([9, 11]);
    message(13);
    mock.timers.tick(500);
    expect(delivered()).to.deep.equal([9, 11, 13]);
  });

  it('ends the mute of a chat by the clock of the server, however far away that is', async () => {
    const DAY = 86_400_000;
    const { view, client, push } = await viewOf((type) => ({
      data: type === 'listLastMessage' ? [row] : { ...row, muted: true, mutedUntil: until },
    }));
    client.now = () => Date.now() + 3_600_000;
    const until = new Date(client.now() + 40 * DAY).toISOString();
    const started = mock.method(globalThis, 'setTimeout').mock;
    push('muteChat', { senderId: ADA, receiverId: BOB, muted: true, until });
    expect(view.chats.value[0]).to.include({ muted: true, mutedUntil: until });
    expect(started.calls).not.to.deep.equal([]);
    for (const call of started.calls) expect(call.arguments[1]).to.be.at.most(2 ** 31 - 1); // or it is due at once
    for (let day = 0; day < 39; day++) mock.timers.tick(DAY);
    mock.timers.tick(DAY - 1);
    expect(view.chats.value[0]?.muted).to.equal(true);
    mock.timers.tick(1);
    expect(view.chats.value[0]).to.include({ muted: false, mutedUntil: null });
  });

  it('cancels the timer of a mute when the user leaves the chat', async () => {
    const { push } = await viewOf(() => ({ data: [groupRow] }));
    const started = mock.method(globalThis, 'setTimeout').mock;
    const cancelled = mock.method(globalThis, 'clearTimeout').mock;
    const until = new Date(Date.now() + 60_000).toISOString();
    push('muteChat', { senderId: ADA, groupId: GROUP, muted: true, until });
    const timer = started.calls.find((call) => call.arguments[1] === 60_000)?.result;
    push('removeUserFromGroup', { ...event, userId: ADA });
    expect(cancelled.calls.map((call) => call.arguments[0])).to.include(timer);
  });
});
