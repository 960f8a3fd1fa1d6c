import { Type } from 'typebox';
import { Version } from './messages.ts';
import { Id, MessageKind, Nullable, Seq, Time, UserName } from './types.ts';

/* Parts of replies and pushes about a user's own membership in a chat. */

const Position = Type.Integer({ ...Seq, minimum: 0 });

/** Positions of the other person of a dialog. */
export const OtherPositions = {
  otherReadSeq: {
    ...Position,
    description:
      'In a dialog: the position up to which the other person has read, or sent a message. While one has blocked the other, it advances only with messages of the other person',
  },
  otherDeliveredSeq: {
    ...Position,
    description:
      'In a dialog: the position up to which messages were delivered to the other person; blocks affect it in the same way',
  },
};

/** State of the user in a chat. */
export const ChatState = {
  unreadCount: Type.Integer({
    description: 'Unread messages of other users, without system messages and silent messages',
  }),
  mentionCount: Type.Integer({ description: 'Unread messages that mention this user' }),
  readSeq: {
    ...Position,
    description: 'Position up to which this user has read; sending a message counts as reading',
  },
  deliveredSeq: {
    ...Position,
    description: 'Position up to which messages were delivered to a device of this user',
  },
  markedUnread: Type.Boolean(),
  muted: Type.Boolean(),
  mutedUntil: Nullable({ ...Time, description: 'null if it is not muted, or muted for good' }),
  pinned: Type.Boolean(),
  archived: Type.Boolean(),
};

/** A chat by its newest message, as its user sees it. */
export const ChatRow = Type.Object({
  id: { ...Id, description: 'Id of the newest message' },
  seq: {
    ...Seq,
    description:
      'seq of the newest message; the counts and positions of the row include all messages up to it',
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

/** The chat of a push, and the acting user. */
export const ChatAddress = {
  senderId: Id,
  receiverId: Type.Optional(Id),
  groupId: Type.Optional(Id),
};
