import { expect } from 'chai';
import type { MessageDraft } from '../../src/messages/drafts.ts';
import { PlainBatch } from '../../src/messages/PlainBatch.ts';
import { id } from '../support/ids.ts';

const draft = (
  sender: number,
  to: MessageDraft['to'],
  content: string,
  clientMessageId?: string,
): MessageDraft => ({ senderId: id(sender), to, kind: 'text', content, clientMessageId, origin: id(0) });

/** Messages of two senders in the group 7 and of one in the dialog 5 with the user 3, in turn. */
const group: MessageDraft['to'] = { groupId: id(7) };
const dialog: MessageDraft['to'] = { receiverId: id(3) };
const drafts = [
  draft(1, group, 'a', 'once'),
  draft(2, dialog, 'b'),
  draft(2, group, 'c'),
  draft(1, group, 'd'),
  draft(2, dialog, 'e'),
];
const newBatch = () =>
  new PlainBatch(
    drafts,
    [7, 5, 7, 7, 5].map((chat) => id(chat)),
  );

const times = ['2026-01-01T00:00:00.005+00:00', '2026-01-01T00:00:00.007+00:00'];

describe('PlainBatch', () => {
  it('numbers the messages of each chat, the chats in the order of their ids, and their senders', () => {
    const versions = new Map([[7, 70]]);
    expect(newBatch().parameters((chatId) => versions.get(chatId), 'a run')).to.deep.equal([
      '{5,7}',
      '{-1,70}', // unknown, so that nothing is stored
      '{2,3}',
      '{5,4}',
      '{2,1,2,2,1}',
      '{1,1,2,3,2}',
      '{1,2,2,1,2}',
      ['a', 'b', 'c', 'd', 'e'],
      ['once', null, null, null, null],
      '{2,1,2}',
      '{1,2,2}',
      '{3,2,2}',
      '{null,3,null}',
      'a run',
    ]);
  });

  it('returns the messages in the order of arrival, with the names of their senders', () => {
    const names = ['Ada', 'Bob', null];
    const ids = [11, 12, 13, 14, 15].map((number) => id<never>(number));
    const results = newBatch().results({ seqs: [40, 90], current: [true, true], times, ids, names });
    const [inDialog, inGroup] = ['2026-01-01T00:00:00.005Z', '2026-01-01T00:00:00.007Z'];
    const rest = { mentions: null, repeated: false };
    expect(results).to.deep.equal([
      { chatId: 7, messageId: 11, seq: 91, createdAt: inGroup, senderName: 'Ada', ...rest },
      { chatId: 5, messageId: 12, seq: 41, createdAt: inDialog, senderName: 'Bob', ...rest },
      { chatId: 7, messageId: 13, seq: 92, createdAt: inGroup, senderName: 'Deleted user', ...rest },
      { chatId: 7, messageId: 14, seq: 93, createdAt: inGroup, senderName: 'Ada', ...rest },
      { chatId: 5, messageId: 15, seq: 42, createdAt: inDialog, senderName: 'Bob', ...rest },
    ]);
  });

  it('gives the ids to the stored messages only, while those of a chat with other rules are stale', () => {
    const names = ['Ada', 'Bob', 'Bob'];
    const ids = [11, 12, 13].map((number) => id<never>(number));
    const results = newBatch().results({ seqs: [40, 90], current: [false, true], times, ids, names });
    expect(results.map((result) => ('reason' in result ? result.reason : result.messageId))).to.deep.equal([
      11,
      'STALE',
      12,
      13,
      'STALE',
    ]);
    const none = newBatch().results({ seqs: [40, 90], current: [false, false], times, ids: null, names });
    expect(none.every((result) => 'reason' in result && result.reason === 'STALE')).to.equal(true);
  });
});
