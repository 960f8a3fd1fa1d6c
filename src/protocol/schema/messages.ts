import { Type } from 'typebox';
import { Content, Custom, Id, MessageKind, Nullable, Sent, Seq, Time, UserName } from './types.ts';

/* What commands take and give about messages. */

/** What the commands that write a message take beside address and content. */
export const SendOptions = {
  replyTo: Type.Optional(Type.Integer({ ...Id, description: 'messageId of a message in the same chat' })),
  silent: Type.Optional(Type.Boolean({ description: 'True: it does not count as unread' })),
  custom: Type.Optional(Custom),
};

/** Numbers the changes of a message. */
export const Version = Type.Integer({
  minimum: 0,
  description:
    'How often the message was changed: edited, deleted, reacted to, pinned. Keep the highest, and ignore what a lower one says about the same: the content, a reaction, being pinned',
});

/** What the push of a message has that is pushed late, because a node missed it, and was changed meanwhile. */
export const ChangedMeanwhile = {
  version: Type.Optional({
    ...Version,
    description: 'Of a message that is pushed late and was changed meanwhile',
  }),
  editedAt: Type.Optional(Time),
  deletedAt: Type.Optional({ ...Time, description: 'Deleted meanwhile: message is empty' }),
  reactions: Type.Optional(
    Type.Array(Type.Object({ emoji: Type.String(), count: Type.Integer() }), {
      description: 'getMessage says which of them are one’s own',
    }),
  ),
  pinned: Type.Optional(Type.Literal(true)),
};

const Mentions = Type.Array(Id, {
  description: 'Members whom the content names with @: the longest username that fits, in any case',
});
const ForwardedFrom = Type.Integer({ ...Id, description: 'Who wrote it first' });

/** What the push of a message has where the message has it. */
export const SentExtras = {
  replyTo: Type.Optional(Id),
  silent: Type.Optional(Type.Literal(true)),
  custom: Type.Optional(Custom),
  mentions: Type.Optional(Mentions),
  forwardedFrom: Type.Optional(ForwardedFrom),
  forwardedFromName: Type.Optional(UserName),
  ...ChangedMeanwhile,
};

/** What the reply to a send has. */
export const SendReply = Type.Object({
  ...Sent.properties,
  mentions: Type.Optional({
    ...Mentions,
    description: 'Members whom the content names with @, where there are any; of a repeat as they are now',
  }),
});

/** The same of a message that was forwarded, with what its sender has not written: of a repeat as it is now. */
export const ForwardReply = Type.Object({
  ...SendReply.properties,
  content: Type.String({ description: 'What the new message says' }),
  custom: Nullable(Custom),
  forwardedFrom: Nullable(ForwardedFrom),
  forwardedFromName: Nullable(UserName),
});

export const Emoji = Type.String({ minLength: 1, maxLength: 32, format: 'emoji', description: 'One emoji' });

export const Reactions = Type.Array(
  Type.Object({
    emoji: Type.String(),
    count: Type.Integer(),
    own: Type.Boolean({ description: 'One is one’s own' }),
  }),
);

/** What a system message says for programs. */
export const Event = Type.Object(
  { type: Type.String({ description: 'The command' }) },
  { additionalProperties: true, description: 'Of a system message: what happened' },
);

/** A message as commands answer it. */
export const Message = Type.Object({
  messageId: Id,
  seq: Seq,
  version: Version,
  kind: MessageKind,
  senderId: Id,
  senderName: UserName,
  receiverId: Type.Optional(Type.Integer({ ...Id, description: 'In a dialog: to whom' })),
  groupId: Type.Optional(Type.Integer({ ...Id, description: 'In a group: which one' })),
  content: Type.String({ description: 'Empty once it is deleted' }),
  createdAt: Time,
  editedAt: Nullable(Time),
  deletedAt: Nullable(Time),
  replyTo: Nullable(Id),
  silent: Type.Boolean(),
  custom: Nullable(Custom),
  mentions: Type.Array(Id),
  forwardedFrom: Nullable(Id),
  forwardedFromName: Nullable(UserName),
  reactions: Reactions,
  pinned: Type.Boolean(),
  event: Nullable(Event),
});

/** What every row of a history page has, in the spelling of its two commands. */
export const HistoryRow = Type.Object({
  id: Id,
  seq: Seq,
  version: Version,
  kind: MessageKind,
  content: Type.String(),
  sender_id: Id,
  senderName: UserName,
  created_at: Time,
  updated_at: Time,
  edited_at: Nullable(Time),
  deleted_at: Nullable(Time),
  reply_to: Nullable(Id),
  silent: Type.Boolean(),
  custom: Nullable(Custom),
  mentions: Type.Array(Id),
  forwarded_from: Nullable(Id),
  forwardedFromName: Nullable(UserName),
  reactions: Reactions,
  pinned: Type.Boolean(),
  event: Nullable(Event),
});

/** What replies say of the message that was changed. */
export const ChangedMessage = {
  seq: Seq,
  version: Version,
  receiverId: Type.Optional(Type.Integer({ ...Id, description: 'In a dialog: the other person' })),
  groupId: Type.Optional(Type.Integer({ ...Id, description: 'In a group: which one' })),
};

/** Which message was changed, and by whom. */
export const MessageAddress = {
  messageId: Id,
  seq: Seq,
  version: Version,
  senderId: Type.Integer({ ...Id, description: 'Who did it' }),
  receiverId: Type.Optional(Id),
  groupId: Type.Optional(Id),
};

export const Edit = Type.Object({ version: Type.Integer(), content: Content, createdAt: Time });
