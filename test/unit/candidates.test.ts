import { expect } from 'chai';
import type { ChatId, MessageId } from '../../src/ids.ts';
import { type Candidate, CandidateList } from '../../src/messages/CandidateList.ts';
import { id } from '../support/ids.ts';

const LIMITS = { perChat: 1_000, total: 10_000 };
const ALL = { above: 0, below: 1_000_000 };

/** Chats with the ids of their messages, and a candidate for a number of messages of each. */
function candidatesOf(chats: readonly number[][], messages: number): Candidate[] {
  const made = chats.flatMap((ids, chatId) =>
    Array.from({ length: Math.ceil(ids.length / messages) }, (_, n) => {
      const part = ids.slice(n * messages, (n + 1) * messages);
      const [firstId, lastId] = [part[0] as MessageId, part.at(-1) as MessageId];
      return { chatId: id<ChatId>(chatId), firstId, lastId, messages: part.length };
    }),
  );
  return made.sort((a, b) => b.lastId - a.lastId);
}

/** Returns the messages that each step of a list reads. */
function stepsOf(
  list: CandidateList,
  chats: readonly number[][],
  messages: number,
  count = 1_000,
): number[][] {
  const steps: number[][] = [];
  for (let step = list.next(messages); step; step = steps.length < count ? list.next(messages) : undefined) {
    const { candidates, above, below } = step;
    steps.push(
      candidates.flatMap(({ chatId, firstId, lastId }) =>
        (chats[chatId] as number[]).filter((id) => id >= firstId && id <= lastId && id > above && id < below),
      ),
    );
  }
  return steps;
}

const newestFirst = (ids: readonly number[]) => [...ids].sort((a, b) => b - a);

/** 100 old chats, and one that is as large as all of them. */
const sparse = Array.from({ length: 100 }, (_, chat) =>
  Array.from({ length: 20 }, (_, n) => 1 + chat * 2 + n * 1_000),
);
const dense = Array.from({ length: 6_000 }, (_, n) => 2 + n * 2);
const chats = [...sparse, dense.filter((id) => id % 1_000 > 600)];
const all = newestFirst(chats.flat());

describe('the candidates of a search', () => {
  it('are read the newest first, each message once, down to the returned position', () => {
    for (const messages of [1, 50, 700, 10_000]) {
      const list = new CandidateList(candidatesOf(chats, 32), LIMITS, ALL);
      const steps = stepsOf(list, chats, messages);
      expect(newestFirst(steps.flat())).to.deep.equal(all);
      for (let n = 1; n < steps.length; n++)
        expect(Math.max(...(steps[n] as number[]))).to.be.below(Math.min(...(steps[n - 1] as number[])));
      expect(list.searchedTo).to.equal(undefined);
    }
  });

  it('are read in steps of about the requested size', () => {
    const spread = Array.from({ length: 300 }, (_, chat) =>
      Array.from({ length: 20 }, (_, n) => 1 + (((chat * 20 + n) * 2_741) % 6_007)).sort((a, b) => a - b),
    );
    const steps = stepsOf(new CandidateList(candidatesOf(spread, 32), LIMITS, ALL), spread, 2_000);
    for (const step of steps.slice(0, -1)) expect(step.length).to.be.within(500, 2_000);
  });

  it('have the position up to which they were read', () => {
    const list = new CandidateList(candidatesOf(chats, 32), LIMITS, ALL);
    const read = stepsOf(list, chats, 500, 2).flat();
    expect(newestFirst(read)).to.deep.equal(all.filter((id) => id > (list.searchedTo as number)));
  });

  it('continue from that position, also when all of them have newer messages', () => {
    const found: number[] = [];
    for (let below = ALL.below, count = 0; ; count++) {
      expect(count).to.be.below(200);
      // as in the statement: the last message below
      const rows = candidatesOf(chats, 32).flatMap((candidate) => {
        const ids = (chats[candidate.chatId] as number[]).filter(
          (id) => id >= candidate.firstId && id <= candidate.lastId,
        );
        const lastId = ids.filter((id) => id < below).at(-1);
        return lastId === undefined ? [] : [{ ...candidate, lastId: id<MessageId>(lastId) }];
      });
      rows.sort((a, b) => b.lastId - a.lastId);
      const list = new CandidateList(rows.slice(0, 40), { perChat: 10, total: 40 }, { above: 0, below });
      found.push(...stepsOf(list, chats, 100, 3).flat());
      if (list.searchedTo === undefined) break;
      expect(list.searchedTo + 1).to.be.below(below);
      below = list.searchedTo + 1;
    }
    expect(found.length).to.equal(all.length);
    expect(newestFirst(found)).to.deep.equal(all);
  });

  it('end when no more of one chat, or of all chats, are requested', () => {
    const rows = candidatesOf([[1, 2, 3, 4, 5, 6]], 1);
    const ofChat = new CandidateList(rows.slice(0, 3), { perChat: 3, total: 100 }, ALL);
    expect(stepsOf(ofChat, [[1, 2, 3, 4, 5, 6]], 100).flat()).to.deep.equal([6, 5]);
    expect(ofChat.searchedTo).to.equal(4);
    const ofAll = new CandidateList(rows.slice(0, 4), { perChat: 100, total: 4 }, ALL);
    expect(stepsOf(ofAll, [[1, 2, 3, 4, 5, 6]], 100).flat()).to.deep.equal([6, 5, 4]);
    expect(ofAll.searchedTo).to.equal(3);
  });

  it('are read in the largest steps whose estimate is within the request, without those outside of a step', () => {
    const [a, b] = [id<ChatId>(1), id<ChatId>(2)];
    const range = (chatId: ChatId, firstId: number, lastId: number, messages: number): Candidate => ({
      chatId,
      firstId: id(firstId),
      lastId: id(lastId),
      messages,
    });
    const [one, two, three, four] = [
      range(a, 91, 100, 10),
      range(b, 46, 95, 20),
      range(a, 21, 90, 10),
      range(a, 10, 20, 11),
    ];
    const rows = [one, two, three, four];
    const bounds = { above: 0, below: 101 };
    // Down to 90, the first has ten messages and the second two of its twenty, and each costs two more.
    const list = new CandidateList(rows, LIMITS, bounds);
    expect(list.next(16)).to.deep.equal({ candidates: [one, two], above: 90, below: 101 });
    expect(list.searchedTo).to.equal(90);
    // The rest: eighteen messages of the second, ten and eleven, and six.
    expect(list.next(45)).to.deep.equal({ candidates: [two, three, four], above: 0, below: 91 });
    const other = new CandidateList(rows, LIMITS, bounds);
    expect(other.next(15)).to.deep.equal({ candidates: [one], above: 95, below: 101 });
    // Of what is above the bound of a search, the last two have nothing.
    const bounded = new CandidateList(rows, LIMITS, { above: 90, below: 101 });
    expect(bounded.next(1_000)?.candidates).to.deep.equal([one, two]);
  });

  it('end where more of one chat may be, although others follow', () => {
    const rows = candidatesOf(
      [
        [6, 8, 10],
        [2, 3, 9],
      ],
      1,
    );
    const list = new CandidateList(rows, { perChat: 3, total: 100 }, ALL);
    expect(
      stepsOf(
        list,
        [
          [6, 8, 10],
          [2, 3, 9],
        ],
        100,
      )
        .flat()
        .sort(),
    ).to.deep.equal([10, 8, 9]);
    expect(list.searchedTo).to.equal(6);
    const none = new CandidateList(rows, { perChat: 3, total: 1 }, ALL);
    expect([none.next(100), none.searchedTo]).to.deep.equal([undefined, 10]);
  });

  it('are empty when nothing matches', () => {
    const list = new CandidateList([], LIMITS, ALL);
    expect(list.next(100)).to.equal(undefined);
    expect(list.searchedTo).to.equal(undefined);
  });
});
