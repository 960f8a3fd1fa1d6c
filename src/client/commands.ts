/* The types of the frames, written by `npm run docs` from the definitions of the commands. Do not edit. */

/** The dialog with a person. */
export interface DialogAddress {
  readonly receiverId: number;
  readonly groupId?: never;
}

/** A group. */
export interface GroupAddress {
  readonly groupId: number;
  readonly receiverId?: never;
}

/** A chat: the dialog with a person, or a group. */
export type ChatAddress = DialogAddress | GroupAddress;

/** Id of a user. */
export type UserId = number;

/** Id of a group. */
export type GroupId = number;

/** Id of a message. */
export type MessageId = number;

/** Present username. */
export type UserName = string;

/** Unique per sender. If the message is sent again, it is stored once and the first reply is returned. 1 to 64 characters. */
export type ClientMessageId = string;

/** Rows per page. 1 to 100. Default: 20. */
export type Limit = number;

/** One emoji. 1 to 32 characters. */
export type Emoji = string;

/** The message; stored byte for byte. 1 to 4000 characters. */
export type Content = string;

/** Members that the content mentions with @; the longest matching username counts, and case is ignored. */
export type Mentions = UserId[];

/** system: the server recorded an event in a group. */
export type MessageKind = "text" | "system";

/** Role of a member of a group. */
export type Role = "owner" | "admin" | "member";

/** Those who may do something in a group; admins: the owner and the admins. */
export type Audience = "members" | "admins";

/** ISO 8601, UTC, milliseconds. */
export type Time = string;

/** Position in the chat: 1, 2, 3 … without a gap, in commit order. */
export type Seq = number;

/** Data of your application: a JSON object of at most 4 KiB, stored as given. */
export type CustomData = Readonly<Record<string, unknown>>;

/** Only rows whose `custom` contains this object, as defined by the operator @> of PostgreSQL. */
export type CustomFilter = CustomData;

/** Number of changes of the message: edits, deletion, reactions, pins. For each property (the content, a reaction, being pinned) keep the state with the highest version and ignore lower ones. */
export type MessageVersion = number;

/** Number of changes of the profile, the username included. Of two states the one with the higher version is newer. */
export type ProfileVersion = number;

/** Where the next page begins; null after the last one. */
export type NextCursor = string | null;

/**
 * A code of the server:
 * - `BAD_REQUEST`: Wrong input; the message names the path and what was expected.
 * - `UNKNOWN_TYPE`: No command has this type.
 * - `UNAUTHORIZED`: No valid token, or wrong credentials.
 * - `FORBIDDEN`: The user is not allowed to do this.
 * - `NOT_A_MEMBER`: User is not a member of this group.
 * - `NOT_FOUND`: There is no such user, group or page.
 * - `METHOD_NOT_ALLOWED`: The path exists, but not with this method.
 * - `ALREADY_A_MEMBER`: The user is a member of this group already.
 * - `CONFLICT`: Already taken, already used for something else, or ifSeq is not the current seq.
 * - `PAYLOAD_TOO_LARGE`: The body is over the size limit.
 * - `RATE_LIMITED`: Too many attempts; retry later.
 * - `INTERNAL`: A fault of the server; the log contains the cause.
 * - `UNAVAILABLE`: The database is unavailable or the server is overloaded; retry.
 * - `TIMEOUT`: The read took too long; request fewer rows or narrow the search.
 */
export type ServerErrorCode =
  | 'BAD_REQUEST'
  | 'UNKNOWN_TYPE'
  | 'UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'NOT_A_MEMBER'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'ALREADY_A_MEMBER'
  | 'CONFLICT'
  | 'PAYLOAD_TOO_LARGE'
  | 'RATE_LIMITED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'TIMEOUT';

/** The codes that every command can be refused with, in addition to its own. */
export type CommonErrorCode = 'BAD_REQUEST' | 'RATE_LIMITED' | 'UNAVAILABLE' | 'INTERNAL';

/** A message of a dialog or a group. */
export interface Message extends StoredMessage {
  version: MessageVersion;
  kind: MessageKind;
  /** The author. */
  senderId: number;
  senderName: UserName;
  /** In a dialog: the receiver. */
  receiverId?: number;
  /** In a group: its id. */
  groupId?: number;
  /** Empty if the message was deleted. */
  content: string;
  /** null if it was never edited. */
  editedAt: string | null;
  /** null unless it was deleted. */
  deletedAt: string | null;
  /** The message that it replies to. */
  replyTo: number | null;
  /** True if the message does not count as unread. */
  silent: boolean;
  custom: CustomData | null;
  mentions: Mentions;
  /** Author of the original message. */
  forwardedFrom: number | null;
  forwardedFromName: UserName | null;
  /** The reactions by emoji. */
  reactions: (ReactionCount & {
    /** True if this user is among them. */
    own: boolean;
  })[];
  /** True if it is pinned in the chat. */
  pinned: boolean;
  event: SystemEvent | null;
}

/** In a system message: the event that it records, as getMessages returns it in the history. */
export interface SystemEvent {
  /** The command that caused it. */
  type: string;
  [name: string]: unknown;
}

/** A message in the spelling of `getlatestMessageDialog` and `getlatestMessageGroup`. */
export interface HistoryRow {
  id: MessageId;
  seq: Seq;
  version: MessageVersion;
  kind: MessageKind;
  /** Empty if the message was deleted. */
  content: string;
  /** The author. */
  sender_id: number;
  senderName: UserName;
  created_at: Time;
  updated_at: Time;
  /** null if it was never edited. */
  edited_at: string | null;
  /** null unless it was deleted. */
  deleted_at: string | null;
  /** The message that it replies to. */
  reply_to: number | null;
  /** True if the message does not count as unread. */
  silent: boolean;
  custom: CustomData | null;
  mentions: Mentions;
  /** Author of the original message. */
  forwarded_from: number | null;
  forwardedFromName: UserName | null;
  /** The reactions by emoji. */
  reactions: (ReactionCount & {
    /** True if this user is among them. */
    own: boolean;
  })[];
  /** True if it is pinned in the chat. */
  pinned: boolean;
  event: SystemEvent | null;
}

/** A version of an edited message. */
export interface Edit {
  /** Number of the version: 1 is the first. */
  version: number;
  content: Content;
  createdAt: Time;
}

/** A chat by its newest message, as this user sees it. */
export interface ChatRow extends ChatState {
  /** Id of the newest message. */
  id: number;
  /** seq of the newest message; the counts and positions of the row include all messages up to it. */
  seq: number;
  version: MessageVersion;
  kind: MessageKind;
  /** Author of the newest message. */
  senderId: number;
  senderName: UserName;
  /** In a dialog: the receiver of the newest message. */
  receiverId: number | null;
  receiverName: UserName | null;
  /** In a group: its id. */
  groupId: number | null;
  /** In a group: its name. */
  groupName: string | null;
  /** Content of the newest message; empty if it was deleted. */
  content: string;
  createdAt: Time;
  updatedAt: Time;
  /** null unless the newest message was deleted. */
  deletedAt: string | null;
  /** In a dialog: the position up to which the other person has read, or sent a message. While one has blocked the other, it advances only with messages of the other person. */
  otherReadSeq: number | null;
  /** In a dialog: the position up to which messages were delivered to the other person; blocks affect it in the same way. */
  otherDeliveredSeq: number | null;
}

/** A group as this user sees it. */
export interface Group extends GroupFields {
  groupId: GroupId;
  /** Role of this user; null if not a member. */
  role: Role | null;
}

/** An invite to a group. */
export interface Invite {
  /** Id of an invite. */
  inviteId: number;
  groupId: GroupId;
  /** Code for joinByInvite. */
  code: string;
  createdBy: UserId;
  /** null if it does not expire. */
  expiresAt: string | null;
  /** Number of users who can join with it; null: unlimited. */
  maxUses: number | null;
  /** Number of users who joined with it. */
  uses: number;
  createdAt: Time;
}

/** Public properties of a user. */
export interface Profile extends Presence {
  username: UserName;
  /** Shown instead of the username. */
  displayName: string | null;
  /** About the user. */
  about: string | null;
  /** Location of a picture. */
  avatar: string | null;
  custom: CustomData | null;
  /** A program. */
  isBot: boolean;
  version: ProfileVersion;
  createdAt: Time;
}

/** The presence of a user: online, or since when not. */
export interface Presence {
  userId: UserId;
  /** At least one connection is open. */
  online: boolean;
  /** End of the last connection; null while online, or if unknown. */
  lastSeenAt: string | null;
}

/** A change that `sync` returns: one of these kinds, always in the present state. */
export type Change =
  /** A message that is new, or was edited, deleted, reacted to, pinned or unpinned */
  | {
    kind: "message";
    message: Message;
    /** True: the message is new since the cursor; false: it changed since then. */
    isNew: boolean;
  }
  /** A chat that is new for this user, or whose settings, receipts or counts changed */
  | ChatState & {
    kind: "chat";
    /** The other person of a dialog. */
    receiverId?: number;
    groupId?: GroupId;
    /** In a group: its properties. */
    group?: GroupFields;
    role: Role;
    /** seq of the newest message; the counts and positions include all messages up to it, including those that this sync returns. */
    lastSeq: number;
    /** In a dialog: the position up to which the other person has read, or sent a message. While one has blocked the other, it advances only with messages of the other person. */
    otherReadSeq?: number;
    /** In a dialog: the position up to which messages were delivered to the other person; blocks affect it in the same way. */
    otherDeliveredSeq?: number;
  }
  /** A user joined a group, or has a new role */
  | {
    kind: "member";
    groupId: GroupId;
    userId: UserId;
    username: UserName;
    role: Role;
  }
  /** A user left a group */
  | {
    kind: "memberLeft";
    groupId: GroupId;
    userId: UserId;
  }
  /** A user has a new username, or was deleted: this user, a user who shares a chat with this user, or one who has left a group of this user. These changes come first */
  | {
    kind: "user";
    userId: UserId;
    username: UserName;
    version: ProfileVersion;
  }
  /** This user is no longer a member of the group */
  | {
    kind: "left";
    groupId: GroupId;
  };

/** The reactions with one emoji. */
export interface ReactionCount {
  /** The emoji, in the spelling stored with the message. */
  emoji: string;
  /** Present number of users with this reaction. */
  count: number;
}

/** The properties of a group. */
export interface GroupFields {
  /** Name of the group. */
  groupName: string;
  /** Purpose of the group. */
  description: string | null;
  /** True if it is not listed, and joined only by invites. */
  isPrivate: boolean;
  whoMayAdd: Audience;
  whoMayPost: Audience;
  /** Minimum number of seconds between two messages of a member; does not apply to admins; 0 disables it. */
  slowModeSeconds: number;
  /** Beginning of the history for users who join from now on. */
  historyFrom: "beginning" | "joining";
  custom: CustomData | null;
  /** Number of members. */
  memberCount: number;
  createdAt: Time;
}

/** The settings of a group. */
export interface GroupSettings {
  /** Purpose of the group. 0 to 1000 characters. */
  description?: string | null;
  /** If false, users can find the group with listGroups and join it with joinGroup. */
  isPrivate?: boolean;
  whoMayAdd?: Audience;
  whoMayPost?: Audience;
  /** Minimum number of seconds between two messages of a member; does not apply to admins; 0 disables it. 0 to 86400. */
  slowModeSeconds?: number;
  /** Beginning of the history for users who join from now on. */
  historyFrom?: "beginning" | "joining";
  custom?: CustomData | null;
}

/** The state of a user in a chat. */
export interface ChatState {
  /** Unread messages of other users, without system messages and silent messages. */
  unreadCount: number;
  /** Unread messages that mention this user. */
  mentionCount: number;
  /** Position up to which this user has read; sending a message counts as reading. */
  readSeq: number;
  /** Position up to which messages were delivered to a device of this user. */
  deliveredSeq: number;
  /** True while the mark of markUnread stands. */
  markedUnread: boolean;
  /** True if this user muted the chat. */
  muted: boolean;
  /** null if it is not muted, or muted for good. */
  mutedUntil: string | null;
  /** True if this user pinned the chat. */
  pinned: boolean;
  /** True if this user archived the chat. */
  archived: boolean;
}

/** The page of a list. */
export interface PageParams {
  limit?: Limit;
  /** nextCursor of the page before; left out for the first. 1 to 8192 characters. */
  cursor?: string;
}

/** The page of a history. */
export interface NumberedPageParams {
  limit?: Limit;
  /** Page number; page 1 contains the newest rows. Default: 1. */
  page?: number;
}

/** Options of a message to send. */
export interface SendOptions {
  /** messageId of a message in the same chat. */
  replyTo?: number;
  /** If true, the message does not count as unread. */
  silent?: boolean;
  custom?: CustomData;
  /** Store the message only as number ifSeq + 1; otherwise CONFLICT, with the current seq. */
  ifSeq?: number;
}

/** The place in which a message was stored. */
export interface StoredMessage {
  messageId: MessageId;
  seq: Seq;
  createdAt: Time;
}

/** The result of sending a message. */
export interface SendResult extends StoredMessage {
  /** Members that the content mentions with @, if any. The reply to a repeated request contains the present mentions. */
  mentions?: UserId[];
}

/** A message that was changed, in the reply to its change. */
export interface ChangedMessage {
  seq: Seq;
  version: MessageVersion;
  /** In a dialog: the other person. */
  receiverId?: number;
  /** In a group: its id. */
  groupId?: number;
}

/** A message that was changed, in the push of its change. */
export interface MessageAddress extends PushedChat {
  messageId: MessageId;
  seq: Seq;
  version: MessageVersion;
}

/** Fields of a message that is pushed late, because a node missed it, if it was changed in between. */
export interface LateMessage {
  /** Present if the message is pushed late and was edited before the push. */
  version?: number;
  /** Present if the message was edited before the push. */
  editedAt?: string;
  /** Present if the message was deleted before the push; message is then empty. */
  deletedAt?: string;
  /** getMessage also returns which reactions are of this user. */
  reactions?: ReactionCount[];
  pinned?: true;
}

/** Fields that the push of a message has if the message has them. */
export interface MessageExtras extends LateMessage {
  /** The message that it replies to. */
  replyTo?: number;
  silent?: true;
  custom?: CustomData;
  mentions?: Mentions;
  /** Author of the original message. */
  forwardedFrom?: number;
  forwardedFromName?: UserName;
}

/** The chat of a push, and the acting user. */
export interface PushedChat {
  /** The acting user. */
  senderId: number;
  /** In a dialog: the receiver. */
  receiverId?: number;
  /** In a group: its id. */
  groupId?: number;
}

/** A system message of a group. */
export interface GroupEvent extends LateMessage, StoredMessage {
  /** The acting user. */
  senderId: number;
  groupId: GroupId;
  event: SystemEvent;
}

/** An account, as its user sees it. */
export interface Account {
  id: UserId;
  /** Email, as it was written; null if a user of the host has no verified one. */
  email: string | null;
  /** Username, as it was written. */
  username: string;
  createdAt: Time;
}

/** Fields of every push. */
export interface PushFields {
  data: null;
  /** The content of a message, or a sentence that describes the event. */
  message: string | null;
  /** The username of the acting user. */
  senderName: string;
}

/** Fields of every push that is a message. */
export interface MessagePushFields extends PushFields {
  /** The content of the message, or a sentence that describes the event. */
  message: string;
}

/** A result that is a value. */
export interface Data<Value> {
  data: Value;
}

/** A page of a list. */
export interface Page<Entry> extends Data<Entry[]> {
  nextCursor: NextCursor;
}

export interface ListLastMessageParams extends NumberedPageParams {
  /** True: only archived chats; false: only others; default: both. */
  archived?: boolean;
}

export interface GetlatestMessageDialogParams extends NumberedPageParams {
  receiverId: UserId;
}

export interface GetlatestMessageDialogRow extends HistoryRow {
  receiver_id: UserId;
  receverName: UserName;
}

export interface GetlatestMessageGroupParams extends NumberedPageParams {
  groupId: GroupId;
}

export interface GetlatestMessageGroupRow extends HistoryRow {
  group_id: GroupId;
}

export interface NewGroupParams extends GroupSettings {
  /** Name of the group; one line. 1 to 100 characters. */
  groupName: string;
  /** Up to 100 users who become members. 1 to 100 items. */
  userIds?: UserId[];
  clientMessageId?: ClientMessageId;
}

export interface NewGroupResult {
  groupId: GroupId;
}

/** A group was created with this user as a member, or by this user on another connection. */
export interface NewGroupPush extends MessagePushFields, GroupEvent {
  /** Name of the group. */
  groupName: string;
  /** The creator. */
  userId: number;
  /** The other first members. */
  userIds: UserId[];
}

export interface AddUserInGroupParams {
  groupId: GroupId;
  userId: UserId;
}

/** A user was added to a group; the added user receives this push as well. */
export interface AddUserInGroupPush extends MessagePushFields, GroupEvent {
  /** The user whom the event is about. */
  userId: number;
}

export interface LeaveGroupParams {
  groupId: GroupId;
}

/** A user left a group; the other connections of that user receive this push as well. */
export interface LeaveGroupPush extends MessagePushFields, GroupEvent {
  /** The user who left. */
  userId: number;
  /** The new owner of the group. */
  ownerId?: number;
}

export interface MessageInGroupParams extends SendOptions {
  groupId: GroupId;
  content: Content;
  clientMessageId?: ClientMessageId;
}

/** A user sent a message to a group. */
export interface MessageInGroupPush extends MessagePushFields, MessageExtras, StoredMessage {
  /** The author. */
  senderId: number;
  groupId: GroupId;
}

export interface PrivateMessageParams extends SendOptions {
  receiverId: UserId;
  content: Content;
  clientMessageId?: ClientMessageId;
}

/** A message to this user, or a message that this user sent on another connection. */
export interface PrivateMessagePush extends MessagePushFields, MessageExtras, StoredMessage {
  /** The author. */
  senderId: number;
  /** The receiver. */
  receiverId: number;
}

export type GetChatParams = ChatAddress;

export interface GetChatResult {
  /** null for a dialog without messages. */
  data: ChatRow | null;
}

export type GetMessagesParams = ChatAddress & {
  /** Only messages with a higher seq. */
  afterSeq?: number;
  /** Only messages with a lower seq. */
  beforeSeq?: number;
  limit?: Limit;
};

export interface GetMessagesResult {
  /** The rows of the page. */
  data: Message[];
  /** True if there are more matching messages: continue with afterSeq, or with beforeSeq if only that was given. A page may be shorter than limit. */
  more: boolean;
}

export interface GetMessagesAroundParams {
  messageId: MessageId;
  limit?: Limit;
}

export interface GetMessageParams {
  messageId: MessageId;
}

export interface GetThreadParams extends PageParams {
  messageId: MessageId;
}

export interface EditMessageParams {
  messageId: MessageId;
  content: Content;
  custom?: CustomData | null;
}

export interface EditMessageResult extends ChangedMessage {
  /** null if it was never edited. */
  editedAt: string | null;
  custom: CustomData | null;
  mentions: Mentions;
}

/** A user edited a message; message is the new content. */
export interface EditMessagePush extends PushFields, MessageAddress {
  editedAt: Time;
  custom: CustomData | null;
  mentions: Mentions;
}

export interface ListEditsParams extends PageParams {
  messageId: MessageId;
}

export interface DeleteMessageParams {
  messageId: MessageId;
}

export interface DeleteMessageResult extends ChangedMessage {
  deletedAt: Time;
}

/** A user deleted a message. */
export interface DeleteMessagePush extends PushFields, MessageAddress {
  deletedAt: Time;
}

export interface AddReactionParams {
  messageId: MessageId;
  emoji: Emoji;
}

export interface AddReactionResult extends ChangedMessage, ReactionCount {}

/** A user reacted to a message. */
export interface AddReactionPush extends PushFields, MessageAddress, ReactionCount {}

export interface RemoveReactionParams {
  messageId: MessageId;
  emoji: Emoji;
}

export interface RemoveReactionResult extends ChangedMessage, ReactionCount {}

/** A user removed a reaction. */
export interface RemoveReactionPush extends PushFields, MessageAddress, ReactionCount {}

export interface PinMessageParams {
  messageId: MessageId;
}

/** A user pinned a message. */
export interface PinMessagePush extends PushFields, MessageAddress {}

export interface UnpinMessageParams {
  messageId: MessageId;
}

/** A user unpinned a message. */
export interface UnpinMessagePush extends PushFields, MessageAddress {}

export type ListPinsParams = ChatAddress & PageParams;

export interface ListPinsRow extends Message {
  pinnedBy: UserId;
  pinnedAt: Time;
}

export type ForwardMessageParams = ChatAddress & {
  messageId: MessageId;
  /** If true, the message does not count as unread. */
  silent?: boolean;
  clientMessageId?: ClientMessageId;
};

export interface ForwardMessageResult extends SendResult {
  /** Content of the new message. */
  content: string;
  custom: CustomData | null;
  /** Author of the original message. */
  forwardedFrom: number | null;
  forwardedFromName: UserName | null;
}

export interface ReportMessageParams {
  messageId: MessageId;
  /** Reason of the report. 1 to 500 characters. */
  reason: string;
}

export type SendEventParams = ChatAddress & {
  /** Name of the event, chosen by your application. 1 to 64 characters. */
  event: string;
  custom?: CustomData;
};

/** A user sent an event of the application. */
export interface SendEventPush extends PushFields, PushedChat {
  /** Name of the event, chosen by your application. */
  event: string;
  custom?: CustomData;
}

export type MarkReadParams = ChatAddress & {
  seq: Seq;
};

export interface MarkReadResult {
  /** The unread messages of the chat. */
  data: {
    /** Position up to which this user has read; sending a message counts as reading. */
    readSeq: number;
    /** Unread messages of other users, without system messages and silent messages. */
    unreadCount: number;
    /** Unread messages that mention this user. */
    mentionCount: number;
    /** True while the mark of markUnread stands. */
    markedUnread: boolean;
    /** The counts include all messages up to this seq. */
    lastSeq: number;
  };
}

/** The other person of a dialog has read, or this user on another connection. */
export interface MarkReadPush extends PushFields, PushedChat {
  seq: Seq;
}

export type MarkDeliveredParams = ChatAddress & {
  seq: Seq;
};

/** Messages were delivered to the other person of a dialog, or to another connection of this user. */
export interface MarkDeliveredPush extends PushFields, PushedChat {
  seq: Seq;
}

export interface GetReceiptsParams extends PageParams {
  messageId: MessageId;
}

export interface GetReceiptsRow {
  userId: UserId;
  username: UserName;
  /** True if the user received the message. */
  delivered: boolean;
  /** True if the user read the message. */
  read: boolean;
}

export type MarkUnreadParams = ChatAddress;

/** This user changed the setting on another connection. */
export interface MarkUnreadPush extends PushFields, PushedChat {}

export type MuteChatParams = ChatAddress & {
  /** True: mute it; false: unmute it. */
  muted: boolean;
  /** Default: until it is unmuted. */
  until?: string;
};

/** This user changed the setting on another connection. */
export interface MuteChatPush extends PushFields, PushedChat {
  /** True: mute it; false: unmute it. */
  muted: boolean;
  /** Default: until it is unmuted. */
  until?: string;
}

export type ArchiveChatParams = ChatAddress & {
  /** True: archive it; false: unarchive it. */
  archived: boolean;
};

/** This user changed the setting on another connection. */
export interface ArchiveChatPush extends PushFields, PushedChat {
  /** True: archive it; false: unarchive it. */
  archived: boolean;
}

export type PinChatParams = ChatAddress & {
  /** True: pin it; false: unpin it. */
  pinned: boolean;
};

/** This user changed the setting on another connection. */
export interface PinChatPush extends PushFields, PushedChat {
  /** True: pin it; false: unpin it. */
  pinned: boolean;
}

export type TypingParams = ChatAddress & {
  /** False if the user has stopped. */
  typing: boolean;
};

/** A user is typing, or has stopped. */
export interface TypingPush extends PushFields, PushedChat {
  /** False if the user has stopped. */
  typing: boolean;
  /** The indicator expires after this time unless it is repeated. */
  expiresInSeconds: number;
}

export interface SearchMessagesParams extends PageParams {
  /** Text to search for. 1 to 200 characters. */
  query: string;
  /** The other person of a dialog; give either this or groupId. */
  receiverId?: number;
  /** A group; give either this or receiverId. */
  groupId?: number;
  /** Only messages of this sender. */
  senderId?: number;
  /** Only messages since this time, included. */
  from?: string;
  /** Only messages before this time. */
  to?: string;
  /** If true, only messages that mention this user. */
  hasMention?: boolean;
  custom?: CustomFilter;
  /** Order of the results: newest first, or best match first. Default: "recency". */
  order?: "recency" | "relevance";
}

export interface SearchMessagesRow extends Message {
  /** The part of the content around the match, in pieces: escape each text, then mark the hits. */
  highlight: ({
    /** A piece of the content. */
    text: string;
    /** True if it matched. */
    hit: boolean;
  })[];
}

export interface SyncParams {
  /** nextCursor of the previous sync. 1 to 16384 characters. */
  cursor?: string;
  /** True, without cursor: return only a cursor for later. */
  fromNow?: boolean;
  /** Maximum number of changes per page. 1 to 1000. Default: 500. */
  limit?: number;
}

export interface SyncResult {
  /** The changes of the page. */
  data: Change[];
  /** cursor of the next page, or of the next sync. */
  nextCursor: string;
  /** True if there is another page. */
  more: boolean;
  /** Time of the server’s clock at the beginning of the page. The difference to the clock of the device helps to decide when mutedUntil ends. */
  time: string;
}

export interface GetGroupParams {
  groupId: GroupId;
}

export interface ListGroupsParams extends PageParams {
  /** Part of the name; case, accents and vowel points are ignored. 1 to 100 characters. */
  query?: string;
  custom?: CustomFilter;
}

export interface UpdateGroupParams extends GroupSettings {
  groupId: GroupId;
  /** Name of the group; one line. 1 to 100 characters. */
  groupName?: string;
}

export interface UpdateGroupResult {
  messageId?: MessageId;
  seq?: Seq;
  createdAt?: Time;
  data: Group;
}

/** A user changed a group. */
export interface UpdateGroupPush extends MessagePushFields, GroupEvent {
  /** A group, without what differs between its members. */
  group: GroupFields & {
    groupId: GroupId;
  };
}

export interface DeleteGroupParams {
  groupId: GroupId;
}

/** A group was deleted; no further push about it follows. */
export interface DeleteGroupPush extends MessagePushFields, GroupEvent {}

export interface JoinGroupParams {
  groupId: GroupId;
}

export interface JoinGroupResult {
  messageId?: MessageId;
  seq?: Seq;
  createdAt?: Time;
}

/** A user joined a group. */
export interface JoinGroupPush extends MessagePushFields, GroupEvent {
  /** The user whom the event is about. */
  userId: number;
}

export interface ListGroupMembersParams extends PageParams {
  groupId: GroupId;
  role?: Role;
}

export interface ListGroupMembersRow extends Presence {
  username: UserName;
  /** Shown instead of the username. */
  displayName: string | null;
  /** Location of a picture. */
  avatar: string | null;
  /** A program. */
  isBot: boolean;
  role: Role;
  joinedAt: Time;
}

export interface SetMemberRoleParams {
  groupId: GroupId;
  userId: UserId;
  /** A role that the owner can give. */
  role: "admin" | "member";
}

export interface SetMemberRoleResult {
  messageId?: MessageId;
  seq?: Seq;
  createdAt?: Time;
}

/** The role of a member changed. */
export interface SetMemberRolePush extends MessagePushFields, GroupEvent {
  /** The user whom the event is about. */
  userId: number;
  /** A role that the owner can give. */
  role: "admin" | "member";
}

export interface TransferOwnershipParams {
  groupId: GroupId;
  userId: UserId;
}

export interface TransferOwnershipResult {
  messageId?: MessageId;
  seq?: Seq;
  createdAt?: Time;
}

/** A group has a new owner. */
export interface TransferOwnershipPush extends MessagePushFields, GroupEvent {
  /** The user whom the event is about. */
  userId: number;
}

export interface RemoveUserFromGroupParams {
  groupId: GroupId;
  userId: UserId;
}

export interface RemoveUserFromGroupResult {
  messageId?: MessageId;
  seq?: Seq;
  createdAt?: Time;
}

/** A member was removed from a group; the removed user receives no further push about it. */
export interface RemoveUserFromGroupPush extends MessagePushFields, GroupEvent {
  /** The user whom the event is about. */
  userId: number;
}

export interface BanUserParams {
  groupId: GroupId;
  userId: UserId;
  /** For the other admins. 1 to 500 characters. */
  reason?: string;
}

export interface BanUserResult {
  messageId?: MessageId;
  seq?: Seq;
  createdAt?: Time;
}

/** A user was banned from a group; the banned user receives no further push about it. */
export interface BanUserPush extends MessagePushFields, GroupEvent {
  /** The user whom the event is about. */
  userId: number;
}

export interface UnbanUserParams {
  groupId: GroupId;
  userId: UserId;
}

export interface UnbanUserResult {
  messageId?: MessageId;
  seq?: Seq;
  createdAt?: Time;
}

/** The ban of a user was lifted. */
export interface UnbanUserPush extends MessagePushFields, GroupEvent {
  /** The user whom the event is about. */
  userId: number;
}

export interface CreateInviteParams {
  groupId: GroupId;
  /** Default: it does not expire. 1 to 31622400. */
  expiresInSeconds?: number;
  /** Number of users who can join with it; default: unlimited. 1 to 1000000. */
  maxUses?: number;
  /** Unique per user. If the request is repeated, the invite is created once and the first reply is returned. 1 to 64 characters. */
  clientInviteId?: string;
}

export interface ListInvitesParams extends PageParams {
  groupId: GroupId;
}

export interface RevokeInviteParams {
  groupId: GroupId;
  /** Id of an invite. */
  inviteId: number;
}

export interface JoinByInviteParams {
  /** Invite code. 1 to 64 characters. */
  code: string;
}

export interface JoinByInviteResult {
  messageId?: MessageId;
  seq?: Seq;
  createdAt?: Time;
  groupId: GroupId;
}

/** A user joined a group with an invite. */
export interface JoinByInvitePush extends MessagePushFields, GroupEvent {
  /** The user who joined. */
  userId: number;
  /** Id of an invite. */
  inviteId: number;
}

export interface GetProfileParams {
  /** Default: this user. */
  userId?: number;
}

export interface GetProfileResult {
  /** A profile; that of this user has the email. */
  data: Profile & {
    /** Present only in the profile of this user. */
    email?: string | null;
    /** The user at the host; only in the profile of this user. */
    externalId?: string;
  };
}

export interface UpdateProfileParams {
  /** Shown instead of the username; one line. 1 to 100 characters. */
  displayName?: string | null;
  /** About the user. 0 to 500 characters. */
  about?: string | null;
  /** Location of a picture: a URL, or a key in your storage. 1 to 500 characters. */
  avatar?: string | null;
  custom?: CustomData | null;
}

/** This user, or the other person of a dialog, changed the profile; or a user who shares a chat with this user has a new username or was deleted. */
export interface UpdateProfilePush extends PushFields {
  userId: UserId;
  username: UserName;
  version: ProfileVersion;
  /** Shown instead of the username. */
  displayName?: string | null;
  /** About the user. */
  about?: string | null;
  /** Location of a picture. */
  avatar?: string | null;
  custom?: CustomData | null;
}

export interface SearchUsersParams extends PageParams {
  /** Beginning of the name. 1 to 100 characters. */
  query: string;
  custom?: CustomFilter;
}

export interface ListUsersParams extends PageParams {
  custom?: CustomFilter;
}

export interface BlockUserParams {
  userId: UserId;
}

/** This user blocked a user on another connection. */
export interface BlockUserPush extends PushFields {
  /** The blocked user. */
  userId: number;
}

export interface UnblockUserParams {
  userId: UserId;
}

/** This user unblocked a user on another connection. */
export interface UnblockUserPush extends PushFields {
  /** The blocked user. */
  userId: number;
}

export interface ListBlockedUsersParams extends PageParams {}

export interface ListBlockedUsersRow {
  userId: UserId;
  username: UserName;
  /** Shown instead of the username. */
  displayName: string | null;
  blockedAt: Time;
}

export interface GetPresenceParams {
  /** Up to 100 users. 1 to 100 items. */
  userIds: UserId[];
}

export interface SubscribePresenceParams {
  /** Up to 100 users. 1 to 100 items. */
  userIds: UserId[];
}

/** The presence of a subscribed user changed. */
export interface SubscribePresencePush extends PushFields, Presence {}

export interface UnsubscribePresenceParams {
  /** Default: all subscribed users. 1 to 100 items. */
  userIds?: UserId[];
}

export interface SetPresenceParams {
  /** True: invisible; false: visible. */
  invisible: boolean;
}

/** This user became invisible or visible on another connection. */
export interface SetPresencePush extends PushFields {
  /** True: invisible; false: visible. */
  invisible: boolean;
}

export interface ListSessionsParams extends PageParams {
  /** True: only open connections; false: only ended ones; default: both. */
  live?: boolean;
}

export interface ListSessionsRow {
  /** Id of a connection, open or ended. */
  sessionId: number;
  /** The device, as the client or its User-Agent names it. */
  device: string | null;
  /** IP address of the client. */
  address: string;
  connectedAt: Time;
  /** null while the connection is open. */
  endedAt: string | null;
  /** True for this connection. */
  current: boolean;
}

export interface EndSessionParams {
  /** Default: the session of this connection. */
  sessionId?: number;
}

export type EndOtherSessionsParams = Record<string, never>;

export type PingParams = Record<string, never>;

/** The commands by name, each with its params and the `params` of its reply. A {@link CommonErrorCode} may refuse each of them; the other codes are listed. */
export interface Commands {
  /** List the chats of this user, each with its newest message, newest first. Refused with TIMEOUT. */
  listLastMessage: { params: ListLastMessageParams; result: Data<ChatRow[]> };
  /** Page through the dialog with a person, newest first. Refused with NOT_FOUND, TIMEOUT. */
  getlatestMessageDialog: { params: GetlatestMessageDialogParams; result: Data<GetlatestMessageDialogRow[]> };
  /** Page through the history of a group, newest first. Refused with NOT_FOUND, NOT_A_MEMBER, TIMEOUT. */
  getlatestMessageGroup: { params: GetlatestMessageGroupParams; result: Data<GetlatestMessageGroupRow[]> };
  /** Create a group; its creator becomes the owner and first member. Refused with NOT_FOUND, FORBIDDEN, CONFLICT. */
  newGroup: { params: NewGroupParams; result: NewGroupResult };
  /** Add a user to a group. Allowed for members who may add users (whoMayAdd). The setting historyFrom decides which part of the history the new member sees. Refused with NOT_FOUND, NOT_A_MEMBER, ALREADY_A_MEMBER, FORBIDDEN. */
  addUserInGroup: { params: AddUserInGroupParams; result: StoredMessage };
  /** Leave a group; this user can no longer read it. If the owner leaves, the longest-serving admin becomes the owner, or else the longest-serving member. When the last member leaves, the group is closed. Refused with NOT_FOUND, NOT_A_MEMBER. */
  leaveGroup: { params: LeaveGroupParams; result: StoredMessage };
  /** Send a message to a group. The reply means that the message is committed. Refused with NOT_FOUND, NOT_A_MEMBER, FORBIDDEN, CONFLICT. */
  messageInGroup: { params: MessageInGroupParams; result: SendResult };
  /** Send a message to a person. The reply means that the message is committed. A message to oneself is a note that all connections of this user receive. Refused with NOT_FOUND, NOT_A_MEMBER, FORBIDDEN, CONFLICT. */
  privateMessage: { params: PrivateMessageParams; result: SendResult };
  /** Read one row of listLastMessage: the newest message and the unread counts of a chat. data is null for a dialog without messages. Refused with NOT_FOUND, NOT_A_MEMBER, TIMEOUT. */
  getChat: { params: GetChatParams; result: GetChatResult };
  /** Read messages of a chat by seq, lowest first, to fill a gap or to page in either direction. afterSeq returns the messages that follow it; beforeSeq alone returns the messages immediately before it; both return the messages in between; without either, the newest messages are returned. Refused with NOT_FOUND, NOT_A_MEMBER, TIMEOUT. */
  getMessages: { params: GetMessagesParams; result: GetMessagesResult };
  /** Read a message and its neighbours, lowest seq first, to show a message that was found. The page has fewer messages than limit if they are large: continue with getMessages. Refused with NOT_FOUND, TIMEOUT. */
  getMessagesAround: { params: GetMessagesAroundParams; result: Data<Message[]> };
  /** Read one message. Refused with NOT_FOUND, TIMEOUT. */
  getMessage: { params: GetMessageParams; result: Data<Message> };
  /** List the replies to a message, oldest first. Refused with NOT_FOUND, TIMEOUT. */
  getThread: { params: GetThreadParams; result: Page<Message> };
  /** Edit a message of this user. Earlier versions are kept: see listEdits. Mentions are determined again. The same content changes nothing. Refused with NOT_FOUND, FORBIDDEN. */
  editMessage: { params: EditMessageParams; result: EditMessageResult };
  /** List the versions of an edited message, oldest first. The last row of the last page is the current version. Refused with NOT_FOUND, TIMEOUT. */
  listEdits: { params: ListEditsParams; result: Page<Edit> };
  /** Delete a message for everybody: a message of this user, or, as owner or admin of a group, any message. The message keeps its seq, with empty content and deletedAt. Deleting it again changes nothing. Refused with NOT_FOUND, FORBIDDEN. */
  deleteMessage: { params: DeleteMessageParams; result: DeleteMessageResult };
  /** React to a message with an emoji. Each user can add an emoji once; adding it again changes nothing. Refused with NOT_FOUND, FORBIDDEN, CONFLICT. */
  addReaction: { params: AddReactionParams; result: AddReactionResult };
  /** Remove a reaction of this user. If there is no such reaction, nothing changes. Refused with NOT_FOUND, FORBIDDEN. */
  removeReaction: { params: RemoveReactionParams; result: RemoveReactionResult };
  /** Pin a message for everybody in the chat. Allowed for the owner and admins of a group, and for both people of a dialog. If the message is already pinned, nothing changes. Refused with NOT_FOUND, FORBIDDEN, CONFLICT. */
  pinMessage: { params: PinMessageParams; result: ChangedMessage };
  /** Unpin a message. Allowed for the owner and admins of a group, and for both people of a dialog. If the message is not pinned, nothing changes. Refused with NOT_FOUND, FORBIDDEN. */
  unpinMessage: { params: UnpinMessageParams; result: ChangedMessage };
  /** List the pinned messages of a chat, newest message first. Refused with NOT_FOUND, NOT_A_MEMBER, TIMEOUT. */
  listPins: { params: ListPinsParams; result: Page<ListPinsRow> };
  /** Send a copy of a message to another chat, with the name of its author. It is pushed as privateMessage or messageInGroup, with forwardedFrom and forwardedFromName. Refused with NOT_FOUND, NOT_A_MEMBER, FORBIDDEN, CONFLICT. */
  forwardMessage: { params: ForwardMessageParams; result: ForwardMessageResult };
  /** Report a message to the operators. The table reports stores the report with the content of the message; no other user is notified. Each user can report a message once. Refused with NOT_FOUND. */
  reportMessage: { params: ReportMessageParams; result: object };
  /** Send an event of your application to the open connections of a chat; it is not stored. Allowed for users who may send messages to the chat. Refused with NOT_FOUND, NOT_A_MEMBER, FORBIDDEN. */
  sendEvent: { params: SendEventParams; result: object };
  /** Mark a chat as read up to a seq. The position never decreases. At the current readSeq the command removes the mark of markUnread; below it nothing changes. Sending a message marks everything before it as read. Refused with NOT_FOUND, NOT_A_MEMBER. */
  markRead: { params: MarkReadParams; result: MarkReadResult };
  /** Mark the messages of a chat as delivered up to a seq. The position never decreases. Reading includes delivery. In a dialog the other person receives a push; for groups see getReceipts. Refused with NOT_FOUND, NOT_A_MEMBER. */
  markDelivered: { params: MarkDeliveredParams; result: object };
  /** List who received and who read a message. The list contains the members at the time of the message, without its author. While one of the two people of a dialog has blocked the other, it shows the state at the beginning of the block. Refused with NOT_FOUND, TIMEOUT. */
  getReceipts: { params: GetReceiptsParams; result: Page<GetReceiptsRow> };
  /** Mark a chat as unread, as a reminder. The mark stays until markRead, or until this user sends a message to the chat. The read position does not change. Refused with NOT_FOUND, NOT_A_MEMBER. */
  markUnread: { params: MarkUnreadParams; result: object };
  /** Mute a chat, for good or until a given time, or unmute it. The server only stores the setting and returns it in listLastMessage; clients suppress their notifications. Refused with NOT_FOUND, NOT_A_MEMBER. */
  muteChat: { params: MuteChatParams; result: object };
  /** Archive or unarchive a chat. Clients decide how to show it: listLastMessage returns the setting with each chat, and its order stays the same. Refused with NOT_FOUND, NOT_A_MEMBER. */
  archiveChat: { params: ArchiveChatParams; result: object };
  /** Pin a chat to the top of the list of this user, or unpin it. Clients decide how to show it: listLastMessage returns the setting with each chat, and its order stays the same. Refused with NOT_FOUND, NOT_A_MEMBER. */
  pinChat: { params: PinChatParams; result: object };
  /** Show the other members of a chat that this user is typing, or has stopped. Repeat it every few seconds: otherwise the receivers let it expire after 6 seconds. It is not stored. Refused with NOT_FOUND, NOT_A_MEMBER. */
  typing: { params: TypingParams; result: object };
  /** Search the messages of all chats of this user by words and parts of words. Words match in all their English forms, quoted phrases match literally, and -word excludes. Any text also matches within words; case, accents and vowel points are ignored. Refused with NOT_FOUND, NOT_A_MEMBER, TIMEOUT. */
  searchMessages: { params: SearchMessagesParams; result: Page<SearchMessagesRow> };
  /** Read all changes in the chats of this user since a cursor, chat by chat. While more is true, continue with nextCursor, even if the page is short; then keep nextCursor for the next sync. Each change contains the present state, so that a repeated change does no harm. Refused with TIMEOUT. */
  sync: { params: SyncParams; result: SyncResult };
  /** Read the properties of a group of this user, or of a public group. Refused with NOT_FOUND, NOT_A_MEMBER, TIMEOUT. */
  getGroup: { params: GetGroupParams; result: Data<Group> };
  /** Find public groups, newest first. A page may have fewer groups than limit, or none, before the end of the list. The list ends when nextCursor is null. Refused with TIMEOUT. */
  listGroups: { params: ListGroupsParams; result: Page<Group> };
  /** Change a group: name, description, privacy, permission to add and post, slow mode, history, custom data. Allowed for the owner and admins. Omitted fields stay as they are; null clears description and custom. Refused with NOT_FOUND, NOT_A_MEMBER, FORBIDDEN, CONFLICT. */
  updateGroup: { params: UpdateGroupParams; result: UpdateGroupResult };
  /** Delete a group for everybody. Allowed for the owner. Its messages can no longer be read, and its name can be used again. If the same user deletes it again, nothing changes. Refused with NOT_FOUND, NOT_A_MEMBER, FORBIDDEN. */
  deleteGroup: { params: DeleteGroupParams; result: object };
  /** Join a public group. If this user is already a member, nothing changes. Refused with NOT_FOUND, FORBIDDEN. */
  joinGroup: { params: JoinGroupParams; result: JoinGroupResult };
  /** List the members of a group. Refused with NOT_FOUND, NOT_A_MEMBER, TIMEOUT. */
  listGroupMembers: { params: ListGroupMembersParams; result: Page<ListGroupMembersRow> };
  /** Make a member an admin, or an admin a member. Allowed for the owner. To change the owner, use transferOwnership. Refused with NOT_FOUND, NOT_A_MEMBER, FORBIDDEN. */
  setMemberRole: { params: SetMemberRoleParams; result: SetMemberRoleResult };
  /** Make another member the owner; the previous owner becomes an admin. Refused with NOT_FOUND, NOT_A_MEMBER, FORBIDDEN. */
  transferOwnership: { params: TransferOwnershipParams; result: TransferOwnershipResult };
  /** Remove a member from a group. Allowed for the owner, and for admins if the member is not an admin. The removed user can be added and can join again; to prevent that, use banUser. Refused with NOT_FOUND, NOT_A_MEMBER, FORBIDDEN. */
  removeUserFromGroup: { params: RemoveUserFromGroupParams; result: RemoveUserFromGroupResult };
  /** Remove a user from a group and prevent them from joining or being added; also for users who are not members. Allowed for the owner, and for admins if the user is not an admin. Refused with NOT_FOUND, NOT_A_MEMBER, FORBIDDEN. */
  banUser: { params: BanUserParams; result: BanUserResult };
  /** Lift the ban of a user; it does not add the user to the group. Refused with NOT_FOUND, NOT_A_MEMBER, FORBIDDEN. */
  unbanUser: { params: UnbanUserParams; result: UnbanUserResult };
  /** Create an invite code for a group. Allowed for members who may add users. The code is valid as long as its creator may add users. Refused with NOT_FOUND, NOT_A_MEMBER, FORBIDDEN, CONFLICT. */
  createInvite: { params: CreateInviteParams; result: Data<Invite> };
  /** List the valid invites of a group, newest first. The owner and admins see all invites, other members only the invites that they created. Refused with NOT_FOUND, NOT_A_MEMBER, TIMEOUT. */
  listInvites: { params: ListInvitesParams; result: Page<Invite> };
  /** Revoke an invite. Allowed for its creator, the owner and admins. Refused with NOT_FOUND, NOT_A_MEMBER, FORBIDDEN. */
  revokeInvite: { params: RevokeInviteParams; result: object };
  /** Join a group with the code of an invite. An invite is valid as long as its creator may add users: not after the creator left or was removed, and not while only admins may add users and the creator is not an admin. Refused with NOT_FOUND, FORBIDDEN. */
  joinByInvite: { params: JoinByInviteParams; result: JoinByInviteResult };
  /** Read the profile of a user. Refused with NOT_FOUND, TIMEOUT. */
  getProfile: { params: GetProfileParams; result: GetProfileResult };
  /** Change the profile of this user; null clears a field, omitted fields stay as they are. Username and email belong to the account: see PATCH /users/me. A new username and the deletion of an account are pushed to everybody who shares a chat with the user, and appear in sync. Refused with NOT_FOUND. */
  updateProfile: { params: UpdateProfileParams; result: Data<Profile> };
  /** Search for users by the beginning of their username or display name. The result is ordered by name. Case, accents and vowel points are ignored. A page may have fewer users than limit, or none, before the end of the list. The list ends when nextCursor is null. Refused with TIMEOUT. */
  searchUsers: { params: SearchUsersParams; result: Page<Profile> };
  /** List all users in the order of their registration, with their presence. With custom, a page may have fewer users than limit, or none, before the end of the list. The list ends when nextCursor is null. Refused with TIMEOUT. */
  listUsers: { params: ListUsersParams; result: Page<Profile> };
  /** Block a user. Private messages of the blocked user to this user are refused. Refused with NOT_FOUND. */
  blockUser: { params: BlockUserParams; result: object };
  /** Unblock a user. If that was the last block between the two, both receive the other’s present positions and presence, as the pushes markRead, markDelivered and subscribePresence. Refused with NOT_FOUND. */
  unblockUser: { params: UnblockUserParams; result: object };
  /** List the users that this user has blocked. Refused with TIMEOUT. */
  listBlockedUsers: { params: ListBlockedUsersParams; result: Page<ListBlockedUsersRow> };
  /** Read the presence of up to 100 users. Refused with TIMEOUT. */
  getPresence: { params: GetPresenceParams; result: Data<Presence[]> };
  /** Subscribe this connection to the presence of users, and read their present state. The subscription ends with the connection. A connection can subscribe to at most 1,000 users. A reconnect within seconds is not a change. Refused with CONFLICT. */
  subscribePresence: { params: SubscribePresenceParams; result: Data<Presence[]> };
  /** End subscriptions to the presence of users. */
  unsubscribePresence: { params: UnsubscribePresenceParams; result: object };
  /** Become invisible, which shows this user as offline to everybody, or visible again. */
  setPresence: { params: SetPresenceParams; result: object };
  /** List the open and recent connections of this user, newest first. device is the value of ?device= that the client connected with, or its User-Agent. Ended connections are kept for 30 days. Refused with TIMEOUT. */
  listSessions: { params: ListSessionsParams; result: Page<ListSessionsRow> };
  /** Log out: close a connection of this user and revoke its token, here or on another device. All connections with the same token close with 4401, and the token becomes invalid. Refused with NOT_FOUND. */
  endSession: { params: EndSessionParams; result: object };
  /** Close all other connections of this user and revoke their tokens. The connections close with 4401. This connection stays open and its token stays valid. */
  endOtherSessions: { params: EndOtherSessionsParams; result: object };
  /** Check the connection. For clients that cannot see WebSocket pings, such as scripts in browsers: if no reply arrives, the connection is broken. */
  ping: { params: PingParams; result: object };
}

/** The `params` of the pushes by name. */
export interface Pushes {
  newGroup: NewGroupPush;
  addUserInGroup: AddUserInGroupPush;
  leaveGroup: LeaveGroupPush;
  messageInGroup: MessageInGroupPush;
  privateMessage: PrivateMessagePush;
  editMessage: EditMessagePush;
  deleteMessage: DeleteMessagePush;
  addReaction: AddReactionPush;
  removeReaction: RemoveReactionPush;
  pinMessage: PinMessagePush;
  unpinMessage: UnpinMessagePush;
  sendEvent: SendEventPush;
  markRead: MarkReadPush;
  markDelivered: MarkDeliveredPush;
  markUnread: MarkUnreadPush;
  muteChat: MuteChatPush;
  archiveChat: ArchiveChatPush;
  pinChat: PinChatPush;
  typing: TypingPush;
  updateGroup: UpdateGroupPush;
  deleteGroup: DeleteGroupPush;
  joinGroup: JoinGroupPush;
  setMemberRole: SetMemberRolePush;
  transferOwnership: TransferOwnershipPush;
  removeUserFromGroup: RemoveUserFromGroupPush;
  banUser: BanUserPush;
  unbanUser: UnbanUserPush;
  joinByInvite: JoinByInvitePush;
  updateProfile: UpdateProfilePush;
  blockUser: BlockUserPush;
  unblockUser: UnblockUserPush;
  subscribePresence: SubscribePresencePush;
  setPresence: SetPresencePush;
}
