import { expect } from 'chai';
import type { ChatSequence } from '../../src/client/ChatSequence.ts';
import { Inbox } from '../../src/client/Inbox.ts';
import type { Push } from '../../src/client/protocol.ts';

const ADA = 1;

/** Creates an inbox of Ada, and keeps its deliveries and the gaps that it finds. */
function inboxOf() {
  const delivered: unknown[] = [];
  const gaps: ChatSequence[] = [];
  const inbox = new Inbox(
    () => ADA,
    ({ type, params }, isOwn) => {
      const { seq = type } = params as { seq?: number };
      delivered.push(isOwn ? `own ${seq}` : seq);
    },
    (sequence) => gaps.push(sequence),
  );
  return { inbox, delivered, gaps };
}

const message = (seq: number, fields: object = {}) =>
  ({
    type: 'messageInGroup',
    params: { groupId: 7, seq, createdAt: '2026-01-01T00:00:00Z', message: `${seq}`, ...fields },
  }) as unknown as Push<'messageInGroup'>;
/** A new message that `sync` returned. */
const found = (seq: number) =>
  ({ kind: 'message', isNew: true, message: { ...message(seq).params, content: '' } }) as never;
const reaction = { type: 'addReaction', params: { groupId: 7 } } as unknown as Push;
const leave = (seq: number) => ({ ...message(seq, { userId: ADA }), type: 'leaveGroup' }) as unknown as Push;

describe('the inbox of the typed client', () => {
  it('delivers the messages of a chat from the first arrival on', () => {
    const { inbox, delivered, gaps } = inboxOf();
    inbox.resume();
    for (const seq of [5, 6, 7]) inbox.push(message(seq));
    expect(delivered).to.deep.equal([5, 6, 7]);
    expect(gaps).to.deep.equal([]);
  });

  it('delivers a message of this client in its place', () => {
    const { inbox, delivered } = inboxOf();
    inbox.resume();
    inbox.push(message(1));
    inbox.done(
      'messageInGroup',
      { groupId: 7, content: 'two' },
      { seq: 2, createdAt: '2026-01-01T00:00:00Z' },
    );
    inbox.push(message(3));
    expect(delivered).to.deep.equal([1, 'own 2', 3]);
  });

  it('drops a profile that is older than what arrived, by whichever way', () => {
    const { inbox, delivered } = inboxOf();
    const profile = (userId: number, version?: number) =>
      inbox.push({
        type: 'updateProfile',
        params: { userId, version, seq: `${userId}.${version}` },
      } as never);
    profile(1, 2);
    inbox.change({ kind: 'user', userId: 2, username: 'Bob', version: 4 });
    inbox.resume();
    for (const version of [1, 2, 3]) profile(1, version);
    profile(2, 3);
    profile(2, 4);
    profile(3, 0);
    profile(1); // from a server that does not count
    expect(delivered).to.deep.equal(['1.2', '1.2', '1.3', '2.4', '3.0', '1.undefined']);
  });

  it('drops a message that was delivered before', () => {
    const { inbox, delivered } = inboxOf();
    inbox.resume();
    for (const seq of [1, 2, 1, 2, 3]) inbox.push(message(seq));
    expect(delivered).to.deep.equal([1, 2, 3]);
  });

  it('drops a message of a catch-up that was delivered before', () => {
    const { inbox, delivered } = inboxOf();
    inbox.resume();
    for (const seq of [1, 2]) inbox.push(message(seq));
    inbox.pause();
    for (const seq of [2, 3]) inbox.change(found(seq));
    expect(delivered).to.deep.equal([1, 2, 3]);
  });

  it('delivers the messages of a catch-up after the state of their chat, which counts them', () => {
    const { inbox, delivered } = inboxOf();
    inbox.resume();
    inbox.push(message(1));
    inbox.pause();
    inbox.change({ kind: 'chat', groupId: 7, lastSeq: 3 } as never);
    for (const seq of [2, 3]) inbox.change(found(seq));
    expect(delivered).to.deep.equal([1, 2, 3]);
  });

  it('delivers nothing for a message that has changed during an outage', () => {
    const { inbox, delivered } = inboxOf();
    inbox.resume();
    inbox.push(message(1));
    inbox.pause();
    inbox.change({ kind: 'message', isNew: false, message: { ...message(2).params, content: '' } } as never);
    expect(delivered).to.deep.equal([1]);
  });

  it('holds everything behind a gap until it is filled', () => {
    const { inbox, delivered, gaps } = inboxOf();
    inbox.resume();
    inbox.push(message(1));
    inbox.push(message(4));
    inbox.push(reaction);
    inbox.push(message(5));
    expect(delivered).to.deep.equal([1]);
    const [gap] = gaps as [ChatSequence];
    expect(gap.gap).to.deep.equal({ afterSeq: 1, beforeSeq: 4 });
    gap.deliver(message(2));
    expect(gap.gap).to.deep.equal({ afterSeq: 2, beforeSeq: 4 });
    gap.deliver(message(3));
    expect(gap.gap).to.equal(undefined);
    inbox.release(gap);
    expect(delivered).to.deep.equal([1, 2, 3, 4, 'addReaction', 5]);
  });

  it('skips messages of a gap that cannot be read', () => {
    const { inbox, delivered, gaps } = inboxOf();
    inbox.resume();
    inbox.push(message(1));
    inbox.push(message(4));
    inbox.release(gaps[0] as ChatSequence);
    expect(delivered).to.deep.equal([1, 4]);
  });

  it('finds the next gap among the held arrivals', () => {
    const { inbox, delivered, gaps } = inboxOf();
    inbox.resume();
    for (const seq of [1, 3, 5]) inbox.push(message(seq));
    inbox.release(gaps[0] as ChatSequence);
    expect(delivered).to.deep.equal([1, 3]);
    expect(gaps[1]?.gap).to.deep.equal({ afterSeq: 3, beforeSeq: 5 });
  });

  it('requests a message with an unknown text, or one that has changed since', () => {
    const { inbox, delivered, gaps } = inboxOf();
    inbox.resume();
    inbox.done('newGroup', { groupName: 'Climbers' }, { groupId: 7 });
    expect(gaps[0]?.gap).to.deep.equal({ afterSeq: 0, beforeSeq: 2 });
    gaps[0]?.deliver(message(1));
    inbox.release(gaps[0] as ChatSequence);
    inbox.push(message(2, { version: 1 }));
    expect(gaps[1]?.gap).to.deep.equal({ afterSeq: 1, beforeSeq: 3 });
    expect(delivered).to.deep.equal(['own 1']);
  });

  it('delivers a push about an existing message at once, whatever its seq', () => {
    const { inbox, delivered, gaps } = inboxOf();
    inbox.resume();
    inbox.push(message(5));
    for (const seq of [2, 9])
      inbox.push({ type: 'addReaction', params: { groupId: 7, seq, version: 1 } } as unknown as Push);
    inbox.push(message(6));
    expect([delivered, gaps]).to.deep.equal([[5, 2, 9, 6], []]);
  });

  it('holds later arrivals of a group that the user left and joined again within a gap', () => {
    const { inbox, delivered, gaps } = inboxOf();
    inbox.resume();
    inbox.push(message(1));
    inbox.push(message(4));
    gaps[0]?.deliver(leave(2));
    inbox.push(message(5));
    expect(delivered).to.deep.equal([1, 2]);
    gaps[0]?.deliver(message(3));
    inbox.release(gaps[0] as ChatSequence);
    expect(delivered).to.deep.equal([1, 2, 3, 4, 5]);
  });

  it('holds arrivals while the client catches up', () => {
    const { inbox, delivered } = inboxOf();
    inbox.push(message(2));
    inbox.change(found(1));
    expect(delivered).to.deep.equal([1]);
    inbox.resume();
    expect(delivered).to.deep.equal([1, 2]);
  });

  it('drops the held arrivals when the connection is lost', () => {
    const { inbox, delivered } = inboxOf();
    inbox.resume();
    for (const seq of [1, 3]) inbox.push(message(seq));
    inbox.pause();
    inbox.push(message(2));
    inbox.resume();
    expect(delivered).to.deep.equal([1, 2]);
  });

  it('starts a group over after the user was removed from it', () => {
    const { inbox, delivered, gaps } = inboxOf();
    inbox.resume();
    inbox.push(message(1));
    inbox.push(leave(2));
    inbox.push(message(9));
    inbox.change({ kind: 'left', groupId: 7 });
    inbox.push(message(20));
    expect(delivered).to.deep.equal([1, 2, 9, 20]);
    expect(gaps).to.deep.equal([]);
  });

  it('starts a group over after this client has left it', () => {
    const { inbox, delivered, gaps } = inboxOf();
    inbox.resume();
    inbox.push(message(1));
    inbox.done('leaveGroup', { groupId: 7 }, { seq: 2, createdAt: '2026-01-01T00:00:00Z' });
    inbox.push(message(20));
    expect([delivered, gaps]).to.deep.equal([[1, 20], []]);
  });

  it('expects no message from a command that changes an existing one', () => {
    const { inbox, delivered, gaps } = inboxOf();
    inbox.resume();
    inbox.done('editMessage', { messageId: 1, content: 'new' }, { groupId: 7, seq: 5, version: 1 });
    inbox.push(message(6));
    expect([delivered, gaps]).to.deep.equal([[6], []]);
  });

  it('finds a gap at the beginning of a chat that is empty on a restored server', () => {
    const { inbox, delivered, gaps } = inboxOf();
    inbox.resume();
    inbox.push(message(1));
    inbox.change({ kind: 'chat', groupId: 7, lastSeq: 0 } as never);
    inbox.push(message(2));
    expect(delivered).to.deep.equal([1]);
    expect(gaps[0]?.gap).to.deep.equal({ afterSeq: 0, beforeSeq: 2 });
  });

  it('accepts numbers that a restored server reuses', () => {
    const { inbox, delivered } = inboxOf();
    inbox.resume();
    for (const seq of [1, 2, 3]) inbox.push(message(seq));
    inbox.change({ kind: 'chat', groupId: 7, lastSeq: 1 } as never);
    inbox.push(message(2));
    expect(delivered).to.deep.equal([1, 2, 3, 2]);
  });
});
