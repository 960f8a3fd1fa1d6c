import { Type } from 'typebox';
import { Version } from './messages.ts';
import { Id, MessageKind, Nullable, Seq, Time, UserName } from './types.ts';

/* What commands say of a user's own place in a chat. */

const Position = Type.Integer({ ...Seq, minimum: 0 });

/** How far the other person of a dialog is. */
export const OtherPositions = {
  otherReadSeq: {
    ...Position,
    description:
      'In a dialog: how far the other person has read, or written. While one has blocked the other it stands still, but for what they write',
  },
  otherDeliveredSeq: { ...Position, description: 'In a dialog: the same for how far it has reached them' },
};

/** What one has to do with a chat. */
export const ChatState = {
  unreadCount: Type.Integer({
    description: 'Messages of others that are not read: without system and silent ones',
  }),
  mentionCount: Type.Integer({ description: 'Unread messages that mention this user' }),
  readSeq: { ...Position, description: 'Up to here this user has read; writing reads as well' },
  deliveredSeq: { ...Position, description: 'Up to here it has reached a device of this user' },
  markedUnread: Type.Boolean(),
  muted: Type.Boolean(),
  mutedUntil: Nullable({ ...Time, description: 'null when it is not muted, or until one unmutes it' }),
  pinned: Type.Boolean(),
  archived: Type.Boolean(),
};

/** A chat by its newest message, as its user sees it. */
export const ChatRow = Type.Object({
  id: { ...Id, description: 'Of the newest message' },
  seq: {
    ...Seq,
    description: 'Of the newest message; the counts and positions of the row include every message up to it',
  },
  version: Version,
  kind: MessageKind,
  senderId: Id,
  senderName: UserName,
  receiverId: Nullable(Id),
  receiverName: Nullable(UserName),
  groupId: Nullable(Id),
  groupName: Nullable(Type.String()),
  content: Type.String(),
  createdAt: Time,
  updatedAt: Time,
  deletedAt: Nullable(Time),
  ...ChatState,
  otherReadSeq: Nullable(OtherPositions.otherReadSeq),
  otherDeliveredSeq: Nullable(OtherPositions.otherDeliveredSeq),
});

/** Which chat a push is about, and who did it. */
export const ChatAddress = {
  senderId: Id,
  receiverId: Type.Optional(Id),
  groupId: Type.Optional(Id),
};
