import { expect } from 'chai';
import fc from 'fast-check';
import type { ChatId, ConnectionId, UserId } from '../../src/ids.ts';
import { type Send, WriterQueue } from '../../src/messages/WriterQueue.ts';
import { id } from '../support/ids.ts';

const limits = { queueLength: 1_000, queueBytes: 1_000_000 };

/** A message in a chat, plain or not, or the start or the end of a group change. */
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ groupId: fc.nat(4).map(id<ChatId>), isPlain: fc.boolean(), isNew: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ toggles: fc.nat(4).map(id<ChatId>) }) },
);

/** Creates a queue that derives from the content whether a message is plain, and knows all chats except new ones. */
function newQueue(): WriterQueue {
  return new WriterQueue(limits, {
    chatOf: ({ content, to }) => (content.startsWith('new') || !('groupId' in to) ? undefined : to.groupId),
    isPlain: ({ draft }) => draft.content.startsWith('plain'),
  });
}

let jobs = 0;
function newSend(content: string, groupId = 0, clientMessageId?: string): Send {
  const draft = {
    senderId: id<UserId>(1),
    to: { groupId: id<ChatId>(groupId) },
    kind: 'text' as const,
    content,
    clientMessageId,
    origin: id<ConnectionId>(++jobs),
  };
  return { draft, answer() {}, extras: null, bytes: 600, repeats: [] };
}

describe('the queue of the writer', () => {
  it('returns each message once, in batches of one kind, in the order of each chat, and no held ones', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.infiniteStream(fc.boolean()), (steps, pauses) => {
        const queue = newQueue();
        const given: Send[] = [];
        const taken: Send[] = [];
        /** Held groups, each with the number of its messages returned until then. */
        const held = new Map<ChatId, number>();
        const ofGroup = (all: readonly Send[], groupId: number) =>
          all.filter(({ draft: { to } }) => 'groupId' in to && to.groupId === groupId);
        const take = (): boolean => {
          const batch = queue.takeBatch();
          if (!batch) return false;
          const isPlain = batch.plainIn !== undefined;
          for (const { draft } of batch.sends) expect(draft.content === 'plain').to.equal(isPlain);
          if (batch.plainIn)
            expect(batch.plainIn).to.deep.equal(
              batch.sends.map(({ draft }) => 'groupId' in draft.to && draft.to.groupId),
            );
          taken.push(...batch.sends);
          for (const [groupId, before] of held) expect(ofGroup(taken, groupId).length).to.be.at.most(before);
          return true;
        };
        const toggle = (groupId: ChatId) => {
          if (held.delete(groupId)) return queue.release(groupId);
          held.set(groupId, ofGroup(given, groupId).length);
          queue.hold(groupId);
        };
        for (const one of steps) {
          if ('toggles' in one) toggle(one.toggles);
          else {
            const kind = one.isPlain ? 'plain' : one.isNew ? 'new' : 'other';
            // a message with a new chat is alone in its batch
            const send = newSend(kind, kind === 'new' ? 100 + jobs : one.groupId);
            given.push(send);
            queue.add(send);
          }
          if (pauses.next().value) take();
        }
        while (take());
        for (const [groupId, before] of held) {
          expect(queue.has(groupId)).to.equal(false);
          expect(ofGroup(taken, groupId).length).to.equal(before);
        }
        for (const groupId of [...held.keys()]) toggle(groupId);
        while (take());
        expect([queue.length, queue.bytes]).to.deep.equal([0, 0]);
        expect(taken).to.have.members(given);
        for (const groupId of [0, 1, 2, 3, 4])
          expect(ofGroup(taken, groupId)).to.deep.equal(ofGroup(given, groupId));
      }),
    );
  });

  it('returns the messages from before a change of a group next, and held ones right after the change', () => {
    const queue = newQueue();
    const [other, before, during] = [newSend('plain', 1), newSend('other', 2), newSend('plain', 2)];
    for (const one of [other, before]) queue.add(one);
    queue.hold(id(2));
    queue.add(during);
    expect(queue.takeBatch()?.sends).to.deep.equal([before]);
    queue.release(id(2));
    expect(queue.takeBatch()?.sends).to.deep.equal([during, other]);
  });

  it('joins repeats of a message of the same batch', () => {
    const queue = newQueue();
    const [first, other, again] = [
      newSend('plain', 1, 'a'),
      newSend('plain', 2, 'b'),
      newSend('plain', 1, 'a'),
    ];
    for (const one of [first, other, again]) queue.add(one);
    expect(queue.takeBatch()).to.deep.equal({ sends: [first, other], plainIn: [1, 2] });
    expect(first.repeats).to.deep.equal([again]);
  });

  it('puts back messages that have to be checked before those that arrived since', () => {
    const queue = newQueue();
    const [first, second] = [newSend('plain', 1), newSend('plain', 1)];
    queue.add(first);
    const batch = queue.takeBatch();
    queue.add(second);
    queue.putBack(batch?.sends ?? []);
    expect(queue.takeBatch()?.sends).to.deep.equal([first, second]);
    expect(queue.bytes).to.equal(0);
  });

  it('returns no more than its limits, but always one message', () => {
    const queue = new WriterQueue(
      { queueLength: 2, queueBytes: 100 },
      { chatOf: () => id(1), isPlain: () => true },
    );
    expect([1, 2].map(() => queue.add(newSend('plain')))).to.deep.equal([true, false]);
  });

  it('reserves no more than a half of a batch, until that is released or put back', () => {
    const queue = newQueue();
    queue.hold(id(1));
    queue.hold(id(2));
    const fill = () => {
      const sends = Array.from({ length: limits.queueLength }, (_, n) => newSend('plain', 1 + (n % 2)));
      return sends.filter((send) => queue.add(send));
    };
    const half = limits.queueLength / 2;
    const kept = fill();
    expect(kept.length).to.equal(half);
    expect(queue.add(newSend('plain', 3))).to.equal(true);
    for (const { draft } of kept.slice(0, 10)) expect(queue.takeOf(draft.origin).length).to.equal(1);
    expect(fill().length).to.equal(10);
    queue.release(id(1));
    expect(fill().length).to.equal(half - 1);
  });

  it('returns the messages of a connection, held or not', () => {
    const queue = newQueue();
    const [one, other] = [newSend('plain', 1), newSend('plain', 1)];
    const held = { ...newSend('plain', 2) };
    Object.assign(held.draft, { origin: one.draft.origin });
    queue.hold(id(2));
    for (const each of [one, other, held]) queue.add(each);
    expect(queue.takeOf(one.draft.origin)).to.deep.equal([one, held]);
    expect([queue.length, queue.bytes]).to.deep.equal([1, other.bytes]);
  });

  it('counts waiting changes too', () => {
    const queue = new WriterQueue(
      { queueLength: 2, queueBytes: 100_000 },
      { chatOf: () => id(1), isPlain: () => true },
    );
    const end = queue.addChange();
    queue.add(newSend('plain'));
    expect([queue.length, queue.addChange(), queue.add(newSend('plain'))]).to.deep.equal([
      2,
      undefined,
      false,
    ]);
    end?.();
    expect([queue.length, queue.add(newSend('plain'))]).to.deep.equal([1, true]);
  });
});
