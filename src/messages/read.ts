import type { Transaction } from 'sequelize';
import type { Static } from 'typebox';
import type { MembershipChange } from '../bus/bus.ts';
import type { Queries } from '../database/database.ts';
import { prepared } from '../database/statements.ts';
import type { ChatId, MessageId, UserId } from '../ids.ts';
import { ApiError } from '../protocol/errors.ts';
import type { Message } from '../protocol/schema/messages.ts';
import type { CustomData } from '../protocol/schema/types.ts';
import { nameOfUser } from '../users/names.ts';
import { otherInSql } from '../users/pairs.ts';

/** The `custom` data of a system message: the type of the command, its event, and the membership change. */
export interface SystemEvent {
  readonly type: string;
  /** For nodes only; clients receive the rest. */
  readonly membership?: MembershipChange;
}

/** A row of {@link selectMessages}. */
export interface MessageRow {
  readonly messageId: MessageId;
  readonly chatId: ChatId;
  readonly isGroup: boolean;
  /** The user that it was sent to in a dialog; null in a group. */
  readonly receiverId: UserId | null;
  readonly seq: number;
  readonly kind: 'text' | 'system';
  readonly senderId: UserId;
  readonly senderName: string;
  readonly content: string;
  readonly createdAt: Date;
  readonly editedAt: Date | null;
  readonly deletedAt: Date | null;
  readonly version: number;
  readonly replyTo: MessageId | null;
  readonly silent: boolean;
  readonly custom: CustomData | null;
  readonly mentions: UserId[] | null;
  readonly forwardedFrom: UserId | null;
  readonly forwardedFromName: string | null;
  readonly counts: Record<string, number> | null;
  readonly own: string[] | null;
  readonly pinned: boolean;
}

/**
 * The beginning of a statement that reads messages as the user $1 sees them; conditions on `message` follow. Related
 * rows are read by scalar subqueries, because in a cached plan a join or an `exists` may become a hash of a whole
 * table.
 */
export const selectMessages = selectMessagesAnd('');

/**
 * Returns {@link selectMessages} with more columns, each after a comma, and optionally a source with the columns of
 * `messages`.
 */
export function selectMessagesAnd(columns: string, messages = 'messages'): string {
  return `
select message.id as "messageId", message.chat_id as "chatId", chat.kind = 'group' as "isGroup",
  ${otherInSql('chat', 'message.sender_id')} as "receiverId", message.seq, message.kind,
  message.sender_id as "senderId", ${nameOfUser('message.sender_id')} as "senderName",
  message.content,
  message.created_at as "createdAt", message.edited_at as "editedAt", message.deleted_at as "deletedAt",
  coalesce(message.version, 0) as version,
  message.reply_to as "replyTo", message.silent, message.custom, message.mentions,
  message.forwarded_from as "forwardedFrom",
  case when message.forwarded_from is not null then ${nameOfUser('message.forwarded_from')} end as "forwardedFromName",
  message.reactions as counts,
  case when message.reactions is not null then array(
    select emoji from reactions
    where reactions.chat_id = message.chat_id and reactions.seq = message.seq and reactions.user_id = $1
  ) end as own,
  (select true from pins where pins.chat_id = message.chat_id and pins.seq = message.seq) is true as pinned
  ${columns}
from ${messages} message
join chats chat on chat.id = message.chat_id
`;
}

const byId = prepared(
  'message by id',
  `${selectMessages}
join chat_members member on member.chat_id = message.chat_id and member.user_id = $1 and message.seq >= member.first_seq
where message.id = $2 and chat.closed_at is null
`,
);

/** Reads a message that the user may currently see; refuses all others with `NOT_FOUND`, as if they did not exist. */
export async function readMessage(
  db: Queries,
  userId: UserId,
  messageId: MessageId,
  transaction?: Transaction,
): Promise<MessageRow> {
  const [row] = await db.query<MessageRow>(byId, [userId, messageId], transaction);
  if (!row) throw new ApiError('NOT_FOUND', `There is no message ${messageId}`);
  return row;
}

const byIdAndSender = `${selectMessages}
where message.id = $2 and message.sender_id = $1
`;

/** Reads a message that the user wrote in any chat, in its current state. */
export async function readWritten(db: Queries, userId: UserId, messageId: MessageId): Promise<MessageRow> {
  const [row] = await db.query<MessageRow>(byIdAndSender, [userId, messageId]);
  if (!row) throw new ApiError('NOT_FOUND', `There is no message ${messageId}`);
  return row;
}

/** Reads a message like {@link readMessage}; refuses deleted ones with `NOT_FOUND` as well. */
export async function readLiveMessage(
  db: Queries,
  userId: UserId,
  messageId: MessageId,
  transaction?: Transaction,
): Promise<MessageRow> {
  const row = await readMessage(db, userId, messageId, transaction);
  if (row.deletedAt) throw new ApiError('NOT_FOUND', `The message ${messageId} was deleted`);
  return row;
}

/** Returns the chat of a message: the group, or the user to whom it was sent. */
export function chatOf({ chatId, receiverId }: MessageRow) {
  return receiverId === null ? { groupId: chatId } : { receiverId };
}

/**
 * Returns a message in the form of replies. Each property is listed, because spreads would dominate the time for
 * hundreds of rows.
 */
export function messageOf(row: MessageRow): Static<typeof Message> {
  const message: Static<typeof Message> = {
    messageId: row.messageId,
    seq: row.seq,
    kind: row.kind,
    senderId: row.senderId,
    senderName: row.senderName,
    content: row.content,
    createdAt: row.createdAt.toISOString(),
    editedAt: row.editedAt?.toISOString() ?? null,
    deletedAt: row.deletedAt?.toISOString() ?? null,
    version: row.version,
    replyTo: row.replyTo,
    silent: row.silent,
    forwardedFrom: row.forwardedFrom,
    forwardedFromName: row.forwardedFromName,
    pinned: row.pinned,
    custom: customOf(row),
    event: eventOf(row),
    mentions: row.mentions ?? [],
    reactions: reactionsOf(row),
  };
  return Object.assign(message, chatOf(row));
}

/** Returns the custom data of a message that a user wrote. */
export const customOf = ({ kind, custom }: MessageRow): CustomData | null =>
  kind === 'system' ? null : custom;

/** Returns the event of a system message. */
export function eventOf({ kind, custom }: MessageRow) {
  if (kind !== 'system' || !custom) return null;
  const { membership: _, ...event } = custom as unknown as SystemEvent;
  return event;
}

/** Returns the reactions of a message in the form of replies. */
export function reactionsOf({ counts, own }: Pick<MessageRow, 'counts' | 'own'>) {
  if (!counts) return [];
  return Object.entries(counts).map(([emoji, count]) => ({
    emoji,
    count,
    own: own?.includes(emoji) ?? false,
  }));
}
