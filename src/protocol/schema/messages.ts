import { Type } from 'typebox';
import {
  Content,
  Custom,
  Id,
  IdOfMessage,
  MessageKind,
  Nullable,
  Sent,
  Seq,
  Time,
  UserName,
} from './types.ts';

/* What commands take and give about messages. */

/** Params of the commands that write a message, in addition to address and content. */
export const SendOptions = {
  replyTo: Type.Optional({ ...IdOfMessage, description: 'messageId of a message in the same chat' }),
  silent: Type.Optional(Type.Boolean({ description: 'If true, the message does not count as unread' })),
  custom: Type.Optional(Custom),
};

/** Numbers the changes of a message. */
export const Version = Type.Integer({
  minimum: 0,
  description:
    'Number of changes of the message: edits, deletion, reactions, pins. For each property (the content, a reaction, being pinned) keep the state with the highest version and ignore lower ones',
});

/** Additional fields of a push that is late, because a node missed it, if the message was changed in between. */
export const ChangedMeanwhile = {
  version: Type.Optional({
    ...Version,
    description: 'Present if the message is pushed late and was edited before the push',
  }),
  editedAt: Type.Optional(Time),
  deletedAt: Type.Optional({
    ...Time,
    description: 'Present if the message was deleted before the push; message is then empty',
  }),
  reactions: Type.Optional(
    Type.Array(Type.Object({ emoji: Type.String(), count: Type.Integer() }), {
      description: 'getMessage also returns which reactions are of this user',
    }),
  ),
  pinned: Type.Optional(Type.Literal(true)),
};

const Mentions = Type.Array(Id, {
  description:
    'Members that the content mentions with @; the longest matching username counts, and case is ignored',
});
const ForwardedFrom = Type.Integer({ ...Id, description: 'Author of the original message' });

/** Fields that the push of a message has if the message has them. */
export const SentExtras = {
  replyTo: Type.Optional(Id),
  silent: Type.Optional(Type.Literal(true)),
  custom: Type.Optional(Custom),
  mentions: Type.Optional(Mentions),
  forwardedFrom: Type.Optional(ForwardedFrom),
  forwardedFromName: Type.Optional(UserName),
  ...ChangedMeanwhile,
};

/** Fields of the reply to a send. */
export const SendReply = Type.Object({
  ...Sent.properties,
  mentions: Type.Optional({
    ...Mentions,
    description:
      'Members that the content mentions with @, if any. The reply to a repeated request contains the present mentions',
  }),
});

/** The same of a message that was forwarded, with what its sender has not written: of a repeat as it is now. */
export const ForwardReply = Type.Object({
  ...SendReply.properties,
  content: Type.String({ description: 'Content of the new message' }),
  custom: Nullable(Custom),
  forwardedFrom: Nullable(ForwardedFrom),
  forwardedFromName: Nullable(UserName),
});

export const Emoji = Type.String({ minLength: 1, maxLength: 32, format: 'emoji', description: 'One emoji' });

const Reactions = Type.Array(
  Type.Object({
    emoji: Type.String(),
    count: Type.Integer(),
    own: Type.Boolean({ description: 'True if this user is among them' }),
  }),
);

/** Event of a system message, for programs. */
export const Event = Type.Object(
  { type: Type.String({ description: 'The command that caused it' }) },
  { additionalProperties: true, description: 'In a system message: the event that it records' },
);

/** A message as commands answer it. */
export const Message = Type.Object({
  messageId: Id,
  seq: Seq,
  version: Version,
  kind: MessageKind,
  senderId: Id,
  senderName: UserName,
  receiverId: Type.Optional(Type.Integer({ ...Id, description: 'In a dialog: the receiver' })),
  groupId: Type.Optional(Type.Integer({ ...Id, description: 'In a group: its id' })),
  content: Type.String({ description: 'Empty if the message was deleted' }),
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

/** Fields of every row of a history page, in the spelling of its two commands. */
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

/** Fields of replies about the changed message. */
export const ChangedMessage = {
  seq: Seq,
  version: Version,
  receiverId: Type.Optional(Type.Integer({ ...Id, description: 'In a dialog: the other person' })),
  groupId: Type.Optional(Type.Integer({ ...Id, description: 'In a group: its id' })),
};

/** The message that was changed, and the acting user. */
export const MessageAddress = {
  messageId: Id,
  seq: Seq,
  version: Version,
  senderId: Type.Integer({ ...Id, description: 'The acting user' }),
  receiverId: Type.Optional(Id),
  groupId: Type.Optional(Id),
};

export const Edit = Type.Object({ version: Type.Integer(), content: Content, createdAt: Time });
