import { expect } from 'chai';
import type { ChatRow, Message } from '../../src/client/index.ts';
import { FRESH } from '../../src/client/pushes.ts';
import {
  advanced,
  arrived,
  byNewest,
  counted,
  type Entry,
  entryFrom,
  merged,
} from '../../src/client/view/summary.ts';

const SELF = 1;
const OTHER = 2;
const time = (seq: number) => new Date(seq * 1000).toISOString();

const row = (seq: number, changes: Partial<ChatRow> = {}): ChatRow => ({
  id: 100 + seq,
  seq,
  version: 0,
  kind: 'text',
  senderId: OTHER,
  senderName: 'other',
  receiverId: SELF,
  receiverName: 'self',
  groupId: null,
  groupName: null,
  content: `${seq}`,
  createdAt: time(seq),
  updatedAt: time(seq),
  deletedAt: null,
  unreadCount: 0,
  mentionCount: 0,
  readSeq: 0,
  deliveredSeq: 0,
  markedUnread: false,
  muted: false,
  mutedUntil: null,
  pinned: false,
  archived: false,
  otherReadSeq: 0,
  otherDeliveredSeq: 0,
  ...changes,
});

const message = (seq: number, changes: Partial<Message> = {}): Message => ({
  ...FRESH,
  messageId: 100 + seq,
  seq,
  kind: 'text',
  senderId: OTHER,
  senderName: 'other',
  receiverId: SELF,
  content: `${seq}`,
  createdAt: time(seq),
  ...changes,
});

const entry = (...given: Parameters<typeof row>) => entryFrom(row(...given), SELF);
const arrivals = (from: Entry, ...messages: Message[]) =>
  messages.reduce((all, each) => arrived(all, each, SELF), from);

describe('the summary of a chat', () => {
  it('has the name of the group, or of the other person, whoever wrote last', () => {
    const own = { senderId: SELF, senderName: 'self', receiverId: OTHER, receiverName: 'other' };
    const inGroup = { receiverId: null, receiverName: null, groupId: 7, groupName: 'Climbers' };
    const names = [row(1), row(1, own), row(1, inGroup), row(1, { ...own, ...inGroup })].map(
      (each) => entryFrom(each, SELF).summary.name,
    );
    expect(names).to.deep.equal(['other', 'other', 'Climbers', 'Climbers']);
  });

  it('has how far the other person has received and read, in a dialog only', () => {
    const positions = (changes: Partial<ChatRow>) => {
      const { otherReadSeq, otherDeliveredSeq } = entryFrom(row(9, changes), SELF).summary;
      return [otherReadSeq, otherDeliveredSeq];
    };
    expect(positions({ otherReadSeq: 3, otherDeliveredSeq: 5 })).to.deep.equal([3, 5]);
    const group = { groupId: 7, groupName: 'Climbers', otherReadSeq: null, otherDeliveredSeq: null };
    expect(positions(group)).to.deep.equal([0, 0]);
    const { summary } = arrived(entryFrom(row(9, group), SELF), message(10, { groupId: 7 }), SELF);
    expect([summary.otherReadSeq, summary.otherDeliveredSeq]).to.deep.equal([0, 0]);
  });

  it('counts each message once, whether the server counted it or it arrived', () => {
    const one = arrivals(
      entry(3, { unreadCount: 2 }),
      message(2),
      message(3),
      message(4),
      message(4),
      message(5),
    );
    expect(one.summary).to.include({ unreadCount: 4 });
    const two = arrivals(one, message(6, { silent: true }), message(7, { kind: 'system' }));
    expect(two.summary).to.include({ unreadCount: 4 });
    expect(arrivals(two, message(8, { mentions: [SELF] })).summary).to.include({
      unreadCount: 5,
      mentionCount: 1,
    });
  });

  it('accepts the counts of the server up to their message, and no older ones', () => {
    const one = arrivals(
      entry(3, { unreadCount: 2 }),
      message(4),
      message(5),
      message(6, { mentions: [SELF] }),
    );
    const two = counted(one, { lastSeq: 5, unreadCount: 1, mentionCount: 0, markedUnread: true });
    expect(two.summary).to.include({ unreadCount: 2, mentionCount: 1, markedUnread: true });
    const late = { lastSeq: 4, unreadCount: 9, mentionCount: 9, markedUnread: false };
    expect(counted(two, late)).to.equal(two);
    expect(
      counted(two, { lastSeq: 6, unreadCount: 0, mentionCount: 0, markedUnread: false }).summary,
    ).to.include({
      unreadCount: 0,
    });
  });

  it('is read by each user up to the message that the user writes', () => {
    const own = { senderId: SELF, receiverId: OTHER };
    const unread = entry(3, { unreadCount: 3, markedUnread: true, mentionCount: 1 });
    const one = arrivals(unread, message(4), message(5, own), message(6));
    expect(one.summary).to.include({ unreadCount: 1, mentionCount: 0, readSeq: 5, markedUnread: false });
    expect(one.summary).to.include({ otherReadSeq: 6, otherDeliveredSeq: 6 });
    // counts of the server for an earlier time are ignored, and for a later one accepted
    const earlier = entry(4, { unreadCount: 4, markedUnread: true, muted: true });
    expect(merged(one, earlier, earlier.summary).summary).to.include({ markedUnread: false, muted: true });
    const later = entry(6, { unreadCount: 1, markedUnread: true });
    expect(arrivals(later, message(5, own)).summary).to.include({ unreadCount: 1, markedUnread: true });
  });

  it('drops the oldest of many messages one by one, and keeps counting', () => {
    let many = entry(1);
    for (let seq = 2; seq <= 2_500; seq++) many = arrived(many, message(seq), SELF);
    expect(many.summary.unreadCount).to.equal(2_499);
    expect(many.arrivals.length).to.be.at.most(1_001);
  });

  it('has the newer of two states, part by part, whichever arrives last', () => {
    const old = entry(3, { version: 2, content: 'old', readSeq: 1, otherReadSeq: 3, pinned: true });
    const recent = arrivals(entry(3, { version: 1, content: 'older', readSeq: 2 }), message(4), message(5));
    const one = merged(recent, old, old.summary).summary;
    expect(one).to.deep.include({ readSeq: 2, otherReadSeq: 5, pinned: true, unreadCount: 2 });
    expect(one.lastMessage).to.include({ seq: 5 });
    const two = merged(entry(3, { version: 1, content: 'older' }), old, entry(3).summary).summary;
    expect(two).to.deep.include({ pinned: false });
    expect(two.lastMessage).to.include({ content: 'old', version: 2 });
    expect(advanced(two, { readSeq: 0, deliveredSeq: 7 })).to.include({ readSeq: 1, deliveredSeq: 7 });
  });

  it('has the order of the server, also among chats of the same time', () => {
    const at = (id: number, changes: Partial<ChatRow> = {}) =>
      entry(1, { id, senderId: id, ...changes }).summary;
    const listed = [at(7), at(9), at(8, { pinned: true }), at(3, { createdAt: time(2) })].sort(byNewest);
    expect(listed.map(({ lastMessage }) => lastMessage.messageId)).to.deep.equal([8, 3, 9, 7]);
  });
});
