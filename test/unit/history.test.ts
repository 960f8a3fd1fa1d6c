import { expect } from 'chai';
import type { Message } from '../../src/client/index.ts';
import { FRESH } from '../../src/client/pushes.ts';
import { DELETED, History, withReaction } from '../../src/client/view/History.ts';

const message = (seq: number, changes: Partial<Message> = {}): Message => ({
  ...FRESH,
  messageId: 100 + seq,
  seq,
  kind: 'text',
  senderId: 1,
  senderName: 'one',
  groupId: 1,
  content: `${seq}`,
  createdAt: '2026-01-01T00:00:00.000Z',
  ...changes,
});

const edit = (seq: number, version: number, content: string) => ({
  seq,
  version,
  part: 'content',
  apply: () => ({ content, editedAt: content }),
});
const deletion = (seq: number, version: number) => ({
  seq,
  version,
  part: DELETED,
  apply: () => ({ content: '', deletedAt: 'now' }),
});
const reaction = (version: number, emoji: string, count: number) => ({
  seq: 1,
  version,
  part: emoji,
  apply: withReaction({ emoji, count }),
});

describe('the history of a chat', () => {
  it('accepts the next message and new states of known ones, and reports a gap otherwise', () => {
    const history = new History();
    expect(history.put(message(5))).to.equal(false);
    expect(history.put(message(5), true)).to.equal(true);
    history.add([message(3), message(4), message(5)]);
    expect(history.put(message(6))).to.equal(true);
    expect(history.put(message(2))).to.equal(true); // before the read messages
    expect(history.put(message(4, { version: 1, content: 'four' }))).to.equal(true);
    expect(history.put(message(8))).to.equal(false);
    expect(history.put(message(4, { messageId: 9 }))).to.equal(false); // the seq was used again
    expect(history.list().map(({ content }) => content)).to.deep.equal(['3', 'four', '5', '6']);
    expect([history.first, history.newest]).to.deep.equal([3, 6]);
  });

  it('reports a gap also while older messages are read', () => {
    const history = new History();
    history.add([message(4), message(5)]);
    expect(history.put(message(7), true)).to.equal(false);
    expect(history.list().map(({ seq }) => seq)).to.deep.equal([4, 5]);
  });

  it('has no gap between messages that arrive while the first page is read and that page', () => {
    const history = new History();
    for (const seq of [2, 3]) history.put(message(seq), true);
    history.add([message(6), message(7)]);
    expect([history.first, history.newest]).to.deep.equal([6, 7]);
    for (const seq of [4, 5, 8]) expect(history.put(message(seq))).to.equal(true);
    expect(history.list().map(({ seq }) => seq)).to.deep.equal([6, 7, 8]);
    history.add([message(4), message(5)]);
    expect(history.list().map(({ seq }) => seq)).to.deep.equal([4, 5, 6, 7, 8]);
  });

  it('keeps messages that arrive while the first page is read and continue it in either direction', () => {
    const history = new History();
    for (const seq of [2, 3, 4, 5]) history.put(message(seq), true);
    history.add([message(3), message(4)]);
    expect(history.list().map(({ seq }) => seq)).to.deep.equal([2, 3, 4, 5]);
    const before = new History();
    before.put(message(2), true);
    before.add([message(3), message(4)]);
    expect(before.list().map(({ seq }) => seq)).to.deep.equal([2, 3, 4]);
  });

  it('has no reaction that the last user has removed', () => {
    const history = new History();
    history.add([message(1)]);
    history.change(reaction(1, '👍', 1));
    expect(history.list()[0]?.reactions).to.have.length(1);
    history.change(reaction(2, '👍', 0));
    expect(history.list()[0]?.reactions).to.deep.equal([]);
  });

  it('shows the newer state of each part, in whatever order pages and changes arrive', () => {
    const steps: ((history: History) => unknown)[] = [
      (history) => history.put(message(1, { version: 1, content: 'a' }), true),
      (history) => history.put(message(1, { version: 3, content: 'b', reactions: [] }), true),
      (history) => history.change(edit(1, 3, 'b')),
      (history) => history.change(edit(1, 5, 'c')),
      (history) => history.change(reaction(4, '👍', 1)),
      (history) => history.change(reaction(6, '👍', 2)),
      (history) => history.change(reaction(7, '❤️', 1)),
    ];
    for (let round = 0; round < 50; round++) {
      const history = new History();
      const order = steps.toSorted(() => Math.random() - 0.5);
      for (const step of order) step(history);
      const [shown] = history.list();
      expect(shown).to.include({ content: 'c', version: 7 });
      expect(shown?.reactions.map(({ emoji, count }) => `${emoji}${count}`)).to.deep.equal(['👍2', '❤️1']);
    }
  });

  it('keeps a deletion, whatever arrives after it', () => {
    for (const order of [
      [edit(1, 1, 'x'), deletion(1, 2)],
      [deletion(1, 2), edit(1, 1, 'x')],
    ]) {
      const history = new History();
      history.add([message(1)]);
      for (const change of order) history.change(change);
      expect(history.list()[0]).to.include({ content: '', editedAt: 'x', deletedAt: 'now', version: 2 });
    }
  });

  it('keeps changes of a message until the message arrives', () => {
    const history = new History();
    history.add([message(1)]);
    history.change(edit(2, 1, 'changed'));
    history.put(message(2));
    expect(history.list()[1]).to.include({ content: 'changed', version: 1 });
  });

  it('keeps the newer of two states of a message, whether one is pushed or read later', () => {
    const history = new History();
    history.add([message(1, { version: 2, content: 'new' })]);
    history.add([message(1, { version: 1, content: 'old' })]);
    expect(history.put(message(1, { version: 1, content: 'old' }))).to.equal(true);
    expect(history.list()[0]).to.include({ version: 2, content: 'new' });
    history.put(message(1, { version: 2, content: 'again' }));
    expect(history.list()[0]).to.include({ content: 'again' });
  });

  it('keeps the later of two changes with one version, and no older one', () => {
    const history = new History();
    history.add([message(1)]);
    for (const change of [edit(1, 2, 'a'), edit(1, 1, 'old'), edit(1, 2, 'b')]) history.change(change);
    expect(history.list()[0]).to.include({ content: 'b', version: 2 });
  });

  it('shows no change that the message already has', () => {
    const history = new History();
    history.add([message(1, { version: 2, content: 'read' })]);
    history.change(edit(1, 2, 'pushed'));
    expect(history.list()[0]).to.include({ content: 'read', version: 2 });
  });

  it('is in the order of seq, in whatever order pages are read', () => {
    const history = new History();
    history.add([message(10), message(11)]);
    history.add([message(8), message(9)]);
    expect(history.list().map(({ seq }) => seq)).to.deep.equal([8, 9, 10, 11]);
  });

  it('replaces each message, with the changes that it has', () => {
    const history = new History();
    history.add([message(1), message(2)]);
    history.change(edit(2, 1, 'changed'));
    history.map((one) => ({ ...one, senderName: 'renamed' }));
    expect(history.list().map(({ senderName, content }) => [senderName, content])).to.deep.equal([
      ['renamed', '1'],
      ['renamed', 'changed'],
    ]);
  });

  it('adds, changes and removes a reaction, without the others', () => {
    const before = message(1, { reactions: [{ emoji: '👍', count: 2, own: true }] });
    const changed = (changes: Parameters<typeof withReaction>[0]) => withReaction(changes)(before).reactions;
    expect(changed({ emoji: '👍', count: 3 })).to.deep.equal([{ emoji: '👍', count: 3, own: true }]);
    expect(changed({ emoji: '👍', count: 0 })).to.deep.equal([]);
    expect(changed({ emoji: '❤️', count: 1 })).to.deep.equal([
      { emoji: '👍', count: 2, own: true },
      { emoji: '❤️', count: 1, own: false },
    ]);
    expect(changed({ emoji: '❤️', own: true })).to.deep.equal([{ emoji: '👍', count: 2, own: true }]);
  });

  it('has reactions in the order of the server: by length in bytes, then by bytes', () => {
    const emojis = ['🏝️', '#️⃣', '❤️', '1️⃣', '👍', '☺️', '👩‍🚀'];
    let shown = message(1);
    for (const emoji of emojis) shown = { ...shown, ...withReaction({ emoji, count: 1 })(shown) };
    expect(shown.reactions.map(({ emoji }) => emoji)).to.deep.equal(['👍', '☺️', '❤️', '#️⃣', '1️⃣', '🏝️', '👩‍🚀']);
  });
});
