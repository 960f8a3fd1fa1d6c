import { expect } from 'chai';
import fc from 'fast-check';
import type { ChatId, ConnectionId, UserId } from '../../src/ids.ts';
import { memoryOf, type Send, WriterQueue } from '../../src/messages/WriterQueue.ts';
import { id } from '../support/ids.ts';

const limits = { queueLength: 1_000, queueBytes: 1_000_000 };

/** A message in a chat, plain or not, with `ifSeq` or not, or the start or the end of a group change. */
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      groupId: fc.nat(4).map(id<ChatId>),
      kind: fc.constantFrom('plain', 'new', 'other', 'conditional'),
      ifSeq: fc.nat(1),
    }),
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
function newSend(content: string, groupId = 0, clientMessageId?: string, ifSeq?: number): Send {
  const draft = {
    senderId: id<UserId>(1),
    to: { groupId: id<ChatId>(groupId) },
    kind: 'text' as const,
    content,
    clientMessageId,
    extras: ifSeq === undefined ? undefined : { ifSeq },
    origin: id<ConnectionId>(++jobs),
  };
  return { draft, answer() {}, extras: null, bytes: 600, repeats: [] };
}

const conditional = (ifSeq: number, groupId = 1) => newSend('conditional', groupId, undefined, ifSeq);

/** Returns all batches of a queue. */
function batchesOf(queue: WriterQueue): (readonly Send[])[] {
  const batch = queue.takeBatch();
  return batch ? [batch.sends, ...batchesOf(queue)] : [];
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
          for (const groupId of [0, 1, 2, 3, 4]) {
            const conditions = ofGroup(batch.sends, groupId).map(({ draft }) => draft.extras?.ifSeq);
            expect(new Set(conditions).size).to.be.at.most(1);
          }
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
            const { kind, groupId, ifSeq } = one;
            const send =
              kind === 'conditional'
                ? conditional(ifSeq, groupId)
                : newSend(kind, kind === 'new' ? 100 + jobs : groupId);
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

  it('returns messages with ifSeq in one batch if they are in different chats, or have the same one', () => {
    const queue = newQueue();
    const sends = [
      conditional(4, 1),
      conditional(4, 2),
      conditional(5, 3),
      conditional(4, 1),
      newSend('other', 4),
    ];
    for (const one of sends) queue.add(one);
    expect(batchesOf(queue)).to.deep.equal([sends]);
  });

  it('returns messages of a chat in several batches if they have different ifSeq, or some have none', () => {
    const queue = newQueue();
    const first = newSend('other', 1);
    const [second, third, fourth] = [conditional(4), conditional(5), newSend('other', 1)];
    const [elsewhere, after] = [newSend('other', 2), conditional(5)];
    for (const one of [first, second, third, fourth, elsewhere, after]) queue.add(one);
    expect(batchesOf(queue)).to.deep.equal([[first, elsewhere], [second], [third], [fourth], [after]]);
  });

  it('tells dialogs that are not known yet apart, whichever of the two people writes', () => {
    const queue = newQueue();
    const between = (from: number, to: number, ifSeq?: number): Send => {
      const send = newSend('new', 0, undefined, ifSeq);
      return { ...send, draft: { ...send.draft, senderId: id(from), to: { receiverId: id(to) } } };
    };
    const [first, other, reply, alone] = [
      between(1, 2),
      between(1, 3, 0),
      between(2, 1, 1),
      between(1, 1, 0),
    ];
    for (const one of [first, other, reply, alone]) queue.add(one);
    expect(batchesOf(queue)).to.deep.equal([[first, other, alone], [reply]]);
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

  it('has half of its limits for held messages, whatever is released, and none for a larger one beside others', () => {
    const queue = newQueue();
    queue.hold(id(1));
    queue.hold(id(2));
    const large = (groupId: number, bytes: number) => ({ ...newSend('plain', groupId), bytes });
    expect(queue.add(large(1, 300_000))).to.equal(true);
    expect(queue.add(large(2, 200_001))).to.equal(false);
    expect(queue.add(large(2, 200_000))).to.equal(true);
    queue.release(id(1));
    expect(queue.add(large(2, 300_001))).to.equal(false);
    expect(queue.add(large(2, 300_000))).to.equal(true);
    const other = newQueue();
    other.hold(id(1));
    expect(other.add(large(1, 600_000))).to.equal(true); // the first one
    expect(other.add(large(1, 1))).to.equal(false);
  });

  it('accepts what fits exactly, and a message of any size while it is empty', () => {
    const newBounded = () =>
      new WriterQueue({ queueLength: 10, queueBytes: 5_000 }, { chatOf: () => id(1), isPlain: () => true });
    const queue = newBounded();
    queue.addChange();
    expect(queue.bytes).to.equal(4_096);
    expect(queue.add({ ...newSend('plain'), bytes: 905 })).to.equal(false);
    expect(queue.add({ ...newSend('plain'), bytes: 904 })).to.equal(true);
    expect(queue.addChange()).to.equal(undefined);
    expect(newBounded().add({ ...newSend('plain'), bytes: 5_001 })).to.equal(true);
  });

  it('has room for a message while there is room for two of the smallest', () => {
    const queue = new WriterQueue(
      { queueLength: 2, queueBytes: 2_000 },
      { chatOf: () => id(1), isPlain: () => true },
    );
    queue.add({ ...newSend('plain'), bytes: 976 });
    expect(queue.hasRoom).to.equal(true);
    queue.takeBatch();
    queue.add({ ...newSend('plain'), bytes: 977 });
    expect(queue.hasRoom).to.equal(false);
    queue.takeBatch();
    for (let count = 0; count < 2; count++) queue.add({ ...newSend('plain'), bytes: 1 });
    expect([queue.length, queue.hasRoom]).to.deep.equal([2, false]);
  });

  it('knows whether a group has messages that are not held', () => {
    const queue = newQueue();
    queue.hold(id(2));
    for (const groupId of [1, 2]) queue.add(newSend('plain', groupId));
    expect([1, 2, 3].map((groupId) => queue.has(id(groupId)))).to.deep.equal([true, false, false]);
  });

  it('returns batches of at most 1,000 messages, and looks at no more than 1,000 of the other kind', () => {
    const queue = new WriterQueue(
      { queueLength: 10_000, queueBytes: 100_000_000 },
      {
        chatOf: ({ to }) => ('groupId' in to ? to.groupId : undefined),
        isPlain: ({ draft }) => draft.content === 'plain',
      },
    );
    for (let count = 0; count < 1_001; count++) queue.add(newSend('plain', count));
    expect(queue.takeBatch()?.sends).to.have.length(1_000);
    for (let count = 0; count < 1_000; count++) queue.add(newSend('other', 2_000 + count));
    queue.add(newSend('plain', 4_000));
    expect(queue.takeBatch()?.sends).to.have.length(1);
    expect(queue.takeBatch()?.sends).to.have.length(1_000);
    expect(queue.length).to.equal(1);
  });

  it('returns batches of about 64 KiB of text, of which data of an application counts as 4 KiB', () => {
    const batchOf = (send: () => Send) => {
      const queue = new WriterQueue(
        { queueLength: 1_000, queueBytes: 100_000_000 },
        { chatOf: () => id(1), isPlain: () => true },
      );
      for (let count = 0; count < 100; count++) queue.add(send());
      return queue.takeBatch()?.sends.length;
    };
    expect(batchOf(() => newSend('x'.repeat(4_096)))).to.equal(17);
    const withData = () => {
      const send = newSend('');
      return { ...send, draft: { ...send.draft, extras: { custom: { a: 1 } } } };
    };
    expect(batchOf(withData)).to.equal(17);
    const silent = () => ({ ...withData(), draft: { ...newSend('').draft, extras: { silent: true } } });
    expect(batchOf(silent)).to.equal(100);
  });

  it('takes no message of a chat that is not known yet for a plain one', () => {
    const queue = new WriterQueue(limits, { chatOf: () => undefined, isPlain: () => true });
    queue.add(newSend('new'));
    expect(queue.takeBatch()?.plainIn).to.equal(undefined);
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

describe('the memory of a queued message', () => {
  const draft = newSend('four').draft;

  it('is two bytes for each character of its text, and 512', () => {
    expect(memoryOf(draft, null)).to.equal(520);
  });

  it('includes its extras, as text or as the parsed data of an application', () => {
    expect(memoryOf({ ...draft, extras: { silent: true } }, '{"a":1}')).to.equal(520 + 14);
    expect(memoryOf({ ...draft, extras: { custom: { a: 1 } } }, '{"a":1}')).to.equal(520 + 7 * 32);
  });
});
