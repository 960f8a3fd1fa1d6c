import { expect } from 'chai';
import fc from 'fast-check';
import type { ChatId, ConnectionId, MessageId, UserId } from '../../src/ids.ts';
import { type MessageDraft, type StoredMessage, sendReply } from '../../src/messages/drafts.ts';
import { encodeMessagePush, encodeSendReply } from '../../src/messages/sendFrames.ts';
import { encodePush, encodeReply } from '../../src/protocol/frames.ts';
import { id } from '../support/ids.ts';

const idOf = <Of extends number>() => fc.nat().map(id<Of>);
const text = fc.string({ unit: 'grapheme' });
const ids = fc.option(fc.array(idOf<UserId>(), { minLength: 1 }), { nil: null });
const stored: fc.Arbitrary<StoredMessage> = fc.record({
  chatId: idOf<ChatId>(),
  messageId: fc.maxSafeNat().map(id<MessageId>),
  seq: fc.nat(),
  createdAt: fc
    .date({ noInvalidDate: true, min: new Date(0), max: new Date('9999') })
    .map((date) => date.toISOString()),
  senderName: text,
  mentions: ids,
  repeated: fc.boolean(),
});
const draft: fc.Arbitrary<MessageDraft> = fc.record({
  senderId: idOf<UserId>(),
  to: fc.oneof(fc.record({ groupId: idOf<ChatId>() }), fc.record({ receiverId: idOf<UserId>() })),
  kind: fc.constant('text' as const),
  content: text,
  extras: fc.option(
    fc.record({ replyTo: idOf<MessageId>(), silent: fc.boolean(), ifSeq: fc.nat() }, { requiredKeys: [] }),
    { nil: undefined },
  ),
  origin: idOf<ConnectionId>(),
});

describe('the frames of a message', () => {
  it('contain the same reply as a frame made from its fields', () => {
    const requestId = fc.oneof(fc.constant(undefined), fc.maxSafeInteger(), text);
    fc.assert(
      fc.property(stored, requestId, (message, id) => {
        expect(encodeSendReply('privateMessage', message, id)).to.equal(
          encodeReply('privateMessage', sendReply(message), id),
        );
      }),
    );
  });

  it('contain the same push as a frame made from its fields', () => {
    fc.assert(
      fc.property(draft, stored, (draft, message) => {
        const { messageId, seq, createdAt, senderName, mentions } = message;
        const { to, senderId, content, extras: { ifSeq: _, ...extras } = {} } = draft;
        const type = 'groupId' in to ? 'messageInGroup' : 'privateMessage';
        const fields = { messageId, seq, createdAt, senderId, ...to, ...extras };
        const options = { silent: extras.silent || undefined, mentions: mentions ?? undefined };
        const frame = JSON.parse(encodePush(type, content, senderName, { ...fields, ...options }));
        expect(JSON.parse(encodeMessagePush(draft, message))).to.deep.equal(frame);
      }),
    );
  });
});
