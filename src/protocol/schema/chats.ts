import { Type } from 'typebox';
import { Version } from './messages.ts';
import { described, Id, MessageKind, Nullable, Seq, Time, UserName } from './types.ts';

/* Parts of replies and pushes about a user's own membership in a chat. */

const position = (description: string) => described(Type.Integer({ ...Seq, minimum: 0 }), description);

/** Positions of the other person of a dialog. */
export const OtherPositions = {
  otherReadSeq: position(
    'In a dialog: the position up to which the other person has read, or sent a message. While one has blocked the other, it advances only with messages of the other person',
  ),
  otherDeliveredSeq: position(
    'In a dialog: the position up to which messages were delivered to the other person; blocks affect it in the same way',
  ),
};

/** State of the user in a chat. */
export const ChatState = {
  unreadCount: Type.Integer({
    description: 'Unread messages of other users, without system messages and silent messages',
  }),
  mentionCount: Type.Integer({ description: 'Unread messages that mention this user' }),
  readSeq: position('Position up to which this user has read; sending a message counts as reading'),
  deliveredSeq: position('Position up to which messages were delivered to a device of this user'),
  markedUnread: Type.Boolean({ description: 'True while the mark of markUnread stands' }),
  muted: Type.Boolean({ description: 'True if this user muted the chat' }),
  mutedUntil: Nullable(described(Time, 'null if it is not muted, or muted for good')),
  pinned: Type.Boolean({ description: 'True if this user pinned the chat' }),
  archived: Type.Boolean({ description: 'True if this user archived the chat' }),
};

/** A chat by its newest message, as its user sees it. */
export const ChatRow = Type.Object(
  {
    id: described(Id.message, 'Id of the newest message'),
    seq: described(
      Seq,
      'seq of the newest message; the counts and positions of the row include all messages up to it',
    ),
    version: Version,
    kind: MessageKind,
    senderId: described(Id.user, 'Author of the newest message'),
    senderName: UserName,
    receiverId: Nullable(described(Id.user, 'In a dialog: the receiver of the newest message')),
    receiverName: Nullable(UserName),
    groupId: Nullable(described(Id.group, 'In a group: its id')),
    groupName: Nullable(Type.String({ description: 'In a group: its name' })),
    content: Type.String({ description: 'Content of the newest message; empty if it was deleted' }),
    createdAt: Time,
    updatedAt: Time,
    deletedAt: Nullable(described(Time, 'null unless the newest message was deleted')),
    ...ChatState,
    otherReadSeq: Nullable(OtherPositions.otherReadSeq),
    otherDeliveredSeq: Nullable(OtherPositions.otherDeliveredSeq),
  },
  { title: 'ChatSummary', description: 'A chat by its newest message, as this user sees it' },
);

/** The chat of a push, and the acting user. */
export const ChatAddress = {
  senderId: described(Id.user, 'The acting user'),
  receiverId: Type.Optional(described(Id.user, 'In a dialog: the receiver')),
  groupId: Type.Optional(described(Id.group, 'In a group: its id')),
};
