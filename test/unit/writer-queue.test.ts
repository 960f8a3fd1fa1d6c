import { expect } from 'chai';
import fc from 'fast-check';
import { type Job, type Send, WriterQueue } from '../../src/messages/WriterQueue.ts';

const limits = { queueLength: 1_000, queueBytes: 1_000_000 };

/** A message in a chat, plain or not, or a change. */
const job = fc.oneof(
  { weight: 8, arbitrary: fc.record({ groupId: fc.nat(4), isPlain: fc.boolean(), isNew: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant('change' as const) },
);

/** A queue that knows of a message by its content whether it is plain, and its chat unless that is new. */
function newQueue(): WriterQueue {
  return new WriterQueue(limits, {
    chatOf: ({ content, to }) => (content.startsWith('new') || !('groupId' in to) ? undefined : to.groupId),
    isPlain: ({ draft }) => draft.content.startsWith('plain'),
  });
}

let jobs = 0;
function newSend(content: string, groupId = 0, clientMessageId?: string): Send {
  const draft = {
    senderId: 1,
    to: { groupId },
    kind: 'text' as const,
    content,
    clientMessageId,
    origin: ++jobs,
  };
  return { draft, answer() {}, extras: null, bytes: 600, repeats: [] };
}
const newChange = (): Job => ({ change: async () => {}, reject() {}, origin: ++jobs, bytes: 4_096 });

describe('the queue of the writer', () => {
  it('gives everything once, in batches of one kind, in the order of each chat and around changes', () => {
    fc.assert(
      fc.property(fc.array(job, { maxLength: 60 }), fc.infiniteStream(fc.boolean()), (given, pauses) => {
        const queue = newQueue();
        const waiting = given.map((one) => {
          if (one === 'change') return newChange();
          const kind = one.isPlain ? 'plain' : one.isNew ? 'new' : 'other';
          // what has a new chat is alone in it
          return newSend(kind, kind === 'new' ? 100 + jobs : one.groupId);
        });
        const taken: Job[] = [];
        const take = (): boolean => {
          const batch = queue.takeBatch();
          if (batch) {
            const isPlain = batch.plainIn !== undefined;
            for (const { draft } of batch.sends) expect(draft.content === 'plain').to.equal(isPlain);
            if (batch.plainIn)
              expect(batch.plainIn).to.deep.equal(
                batch.sends.map(({ draft }) => 'groupId' in draft.to && draft.to.groupId),
              );
            taken.push(...batch.sends);
            return true;
          }
          const change = queue.takeChange();
          if (change) taken.push(change);
          return change !== undefined;
        };
        for (const one of waiting) {
          queue.add(one);
          if (pauses.next().value) take();
        }
        while (take());
        expect(queue.length).to.equal(0);
        expect(queue.bytes).to.equal(0);
        expect(taken).to.have.members(waiting);
        const inOrder = (all: readonly Job[], groupId: number) =>
          all.filter(
            (one) => 'change' in one || ('groupId' in one.draft.to && one.draft.to.groupId === groupId),
          );
        for (const groupId of [0, 1, 2, 3, 4])
          expect(inOrder(taken, groupId)).to.deep.equal(inOrder(waiting, groupId));
      }),
    );
  });

  it('joins what repeats a message of the same batch', () => {
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

  it('puts back what has to be judged before what came since', () => {
    const queue = newQueue();
    const [first, second] = [newSend('plain', 1), newSend('plain', 1)];
    queue.add(first);
    const batch = queue.takeBatch();
    queue.add(second);
    queue.putBack(batch?.sends ?? []);
    expect(queue.takeBatch()?.sends).to.deep.equal([first, second]);
    expect(queue.bytes).to.equal(0);
  });

  it('takes no more than its limits, but always one', () => {
    const queue = new WriterQueue(
      { queueLength: 2, queueBytes: 100 },
      { chatOf: () => 1, isPlain: () => true },
    );
    expect([1, 2].map(() => queue.add(newSend('plain')))).to.deep.equal([true, false]);
  });

  it('gives back what a connection asked for', () => {
    const queue = newQueue();
    const [one, other] = [newSend('plain', 1), newChange()];
    for (const each of [one, other]) queue.add(each);
    expect(queue.takeOf(one.draft.origin)).to.deep.equal([one]);
    expect([queue.length, queue.bytes]).to.deep.equal([1, other.bytes]);
  });
});
