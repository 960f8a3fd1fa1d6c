import { Type } from 'typebox';
import {
  Content,
  Custom,
  described,
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
  replyTo: Type.Optional(described(IdOfMessage, 'messageId of a message in the same chat')),
  silent: Type.Optional(Type.Boolean({ description: 'If true, the message does not count as unread' })),
  custom: Type.Optional(Custom),
  ifSeq: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'Store the message only as number ifSeq + 1; otherwise CONFLICT, with the current seq',
    }),
  ),
};

/** Numbers the changes of a message. */
export const Version = Type.Integer({
  title: 'Version',
  minimum: 0,
  description:
    'Number of changes of the message: edits, deletion, reactions, pins. For each property (the content, a reaction, being pinned) keep the state with the highest version and ignore lower ones',
});

/** A reaction, in its spelling, as replies and pushes contain it. */
export const ReactionCount = Type.Object(
  {
    emoji: Type.String({ description: 'The emoji, in the spelling stored with the message' }),
    count: Type.Integer({ description: 'Present number of users with this reaction' }),
  },
  { title: 'ReactionCount', description: 'The reactions with one emoji' },
);

/** Additional fields of a push that is late, because a node missed it, if the message was changed in between. */
export const ChangedMeanwhile = {
  version: Type.Optional(
    described(Version, 'Present if the message is pushed late and was edited before the push'),
  ),
  editedAt: Type.Optional(described(Time, 'Present if the message was edited before the push')),
  deletedAt: Type.Optional(
    described(Time, 'Present if the message was deleted before the push; message is then empty'),
  ),
  reactions: Type.Optional(
    Type.Array(ReactionCount, { description: 'getMessage also returns which reactions are of this user' }),
  ),
  pinned: Type.Optional(
    Type.Literal(true, { description: 'Present if the message was pinned before the push' }),
  ),
};

export const Mentions = Type.Array(Id.user, {
  title: 'Mentions',
  description:
    'Members that the content mentions with @; the longest matching username counts, and case is ignored',
});
const ForwardedFrom = described(Id.user, 'Author of the original message');
const ReplyTo = described(Id.message, 'The message that it replies to');
const Silent = Type.Boolean({ description: 'True if the message does not count as unread' });

/** Fields that the push of a message has if the message has them. */
export const SentExtras = {
  replyTo: Type.Optional(ReplyTo),
  silent: Type.Optional(Type.Literal(true, { description: 'The message does not count as unread' })),
  custom: Type.Optional(Custom),
  mentions: Type.Optional(Mentions),
  forwardedFrom: Type.Optional(ForwardedFrom),
  forwardedFromName: Type.Optional(UserName),
  ...ChangedMeanwhile,
};

/** Fields of the reply to a send. */
export const SendReply = Type.Object(
  {
    ...Sent.properties,
    mentions: Type.Optional(
      described(
        Mentions,
        'Members that the content mentions with @, if any. The reply to a repeated request contains the present mentions',
      ),
    ),
  },
  { title: 'Send', description: 'Where the message was stored' },
);

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
  Type.Object(
    { ...ReactionCount.properties, own: Type.Boolean({ description: 'True if this user is among them' }) },
    { title: 'Reaction', description: 'The reactions with one emoji, as this user sees them' },
  ),
  { description: 'The reactions by emoji' },
);
const Pinned = Type.Boolean({ description: 'True if it is pinned in the chat' });
export const EditedAt = Nullable(described(Time, 'null if it was never edited'));
const DeletedAt = Nullable(described(Time, 'null unless it was deleted'));
const Author = described(Id.user, 'The author');
const MessageContent = Type.String({ description: 'Empty if the message was deleted' });

/** Event of a system message, for programs. */
export const Event = Type.Object(
  { type: Type.String({ description: 'The command that caused it' }) },
  {
    title: 'SystemEvent',
    additionalProperties: true,
    description: 'In a system message: the event that it records, as getMessages returns it in the history',
  },
);

/** A message as commands answer it. */
export const Message = Type.Object(
  {
    messageId: Id.message,
    seq: Seq,
    version: Version,
    kind: MessageKind,
    senderId: Author,
    senderName: UserName,
    receiverId: Type.Optional(described(Id.user, 'In a dialog: the receiver')),
    groupId: Type.Optional(described(Id.group, 'In a group: its id')),
    content: MessageContent,
    createdAt: Time,
    editedAt: EditedAt,
    deletedAt: DeletedAt,
    replyTo: Nullable(ReplyTo),
    silent: Silent,
    custom: Nullable(Custom),
    mentions: Mentions,
    forwardedFrom: Nullable(ForwardedFrom),
    forwardedFromName: Nullable(UserName),
    reactions: Reactions,
    pinned: Pinned,
    event: Nullable(Event),
  },
  { title: 'Message', description: 'A message of a dialog or a group' },
);

/** Fields of every row of a history page, in the spelling of its two commands. */
export const HistoryRow = Type.Object(
  {
    id: Id.message,
    seq: Seq,
    version: Version,
    kind: MessageKind,
    content: MessageContent,
    sender_id: Author,
    senderName: UserName,
    created_at: Time,
    updated_at: Time,
    edited_at: EditedAt,
    deleted_at: DeletedAt,
    reply_to: Nullable(ReplyTo),
    silent: Silent,
    custom: Nullable(Custom),
    mentions: Mentions,
    forwarded_from: Nullable(ForwardedFrom),
    forwardedFromName: Nullable(UserName),
    reactions: Reactions,
    pinned: Pinned,
    event: Nullable(Event),
  },
  {
    title: 'HistoryRow',
    description: 'A message in the spelling of `getlatestMessageDialog` and `getlatestMessageGroup`',
  },
);

/** Fields of replies about the changed message. */
export const ChangedMessage = {
  seq: Seq,
  version: Version,
  receiverId: Type.Optional(described(Id.user, 'In a dialog: the other person')),
  groupId: Type.Optional(described(Id.group, 'In a group: its id')),
};

/** The message that was changed, and the acting user. */
export const MessageAddress = {
  messageId: Id.message,
  seq: Seq,
  version: Version,
  senderId: described(Id.user, 'The acting user'),
  receiverId: Type.Optional(described(Id.user, 'In a dialog: the receiver')),
  groupId: Type.Optional(described(Id.group, 'In a group: its id')),
};

export const Edit = Type.Object(
  {
    version: Type.Integer({ description: 'Number of the version: 1 is the first' }),
    content: Content,
    createdAt: Time,
  },
  { title: 'Edit', description: 'A version of an edited message' },
);
