import { Type } from 'typebox';
import { Id, Nullable, Seq, Time } from './types.ts';

/* What commands say of a user's own place in a chat. */

const Position = Type.Integer({ ...Seq, minimum: 0 });
/** Of the other person in a dialog. */
export const OtherPosition = Position;

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

/** Which chat a push is about, and who did it. */
export const ChatAddress = {
  senderId: Id,
  receiverId: Type.Optional(Id),
  groupId: Type.Optional(Id),
};
