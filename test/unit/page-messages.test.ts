import { expect } from 'chai';
import { nextItem } from '../../web/src/chat/menuKeys.ts';
import { continuesPrevious, firstUnreadOf, lastEditable, startsDay } from '../../web/src/chat/messages.ts';

/** An ISO time of the local time zone, in which the page counts days. */
const at = (day: number, hours: number, minutes = 0, seconds = 0) =>
  new Date(2026, 0, day, hours, minutes, seconds).toISOString();

describe('the messages of a chat in the page', () => {
  const text = (createdAt: string, senderId = 1) => ({ kind: 'text' as const, senderId, createdAt });

  it('have a divider for each day', () => {
    expect(startsDay(undefined, text(at(2, 12)))).to.equal(true);
    expect(startsDay(text(at(1, 23, 59)), text(at(2, 0)))).to.equal(true);
    expect(startsDay(text(at(2, 0)), text(at(2, 23, 59)))).to.equal(false);
  });

  it('omit the author less than five minutes after another message of that author', () => {
    const first = text(at(1, 12));
    expect(continuesPrevious(first, text(at(1, 12, 4, 59)))).to.equal(true);
    expect(continuesPrevious(first, text(at(1, 12, 5)))).to.equal(false);
    expect(continuesPrevious(first, text(at(1, 12, 1), 2))).to.equal(false);
    expect(continuesPrevious(undefined, first)).to.equal(false);
  });

  it('repeat the author after a system message and on a new day', () => {
    expect(continuesPrevious({ ...text(at(1, 12)), kind: 'system' }, text(at(1, 12)))).to.equal(false);
    expect(continuesPrevious(text(at(1, 23, 59)), text(at(2, 0)))).to.equal(false);
  });

  it('start to be unread after the read position, at a message of a user', () => {
    const messages = [
      { seq: 1, kind: 'text' as const },
      { seq: 2, kind: 'system' as const },
      { seq: 3, kind: 'text' as const },
      { seq: 4, kind: 'text' as const },
    ];
    expect(firstUnreadOf(messages, 1, 2)).to.equal(3);
    expect(firstUnreadOf(messages, 0, 3)).to.equal(1);
    expect(firstUnreadOf(messages, 4, 0)).to.equal(null);
    expect(firstUnreadOf(messages, 1, 0)).to.equal(null); // only system messages and own ones since
    expect(firstUnreadOf(messages, 4, 1)).to.equal(null); // the unread one is not loaded
  });

  it('can be edited if they are own, stored, not deleted and no system messages', () => {
    const own = (messageId: number) => ({ isOwn: true, kind: 'text' as const, deletedAt: null, messageId });
    expect(lastEditable([own(1), own(2)])).to.deep.equal(own(2));
    for (const other of [
      { ...own(3), isOwn: false },
      { ...own(3), deletedAt: at(1, 12) },
      { ...own(3), kind: 'system' as const },
      own(0), // on the way to the server
    ]) {
      expect(lastEditable([own(1), other])).to.deep.equal(own(1));
      expect(lastEditable([other])).to.equal(undefined);
    }
  });
});

describe('the keys of a menu', () => {
  it('move the focus to the next or the previous item, and around the ends', () => {
    for (const key of ['ArrowDown', 'ArrowRight'])
      expect([0, 1, 2].map((focused) => nextItem(key, focused, 3))).to.deep.equal([1, 2, 0]);
    for (const key of ['ArrowUp', 'ArrowLeft'])
      expect([0, 1, 2].map((focused) => nextItem(key, focused, 3))).to.deep.equal([2, 0, 1]);
  });

  it('move the focus to the ends', () => {
    expect([nextItem('Home', 1, 3), nextItem('End', 1, 3)]).to.deep.equal([0, 2]);
  });

  it('begin at an end if no item has the focus', () => {
    expect([nextItem('ArrowDown', -1, 3), nextItem('ArrowUp', -1, 3)]).to.deep.equal([0, 2]);
  });

  it('leave the focus where it is for any other key', () => {
    expect(nextItem('a', 1, 3)).to.equal(undefined);
    expect(nextItem('Enter', 1, 3)).to.equal(undefined);
  });
});
