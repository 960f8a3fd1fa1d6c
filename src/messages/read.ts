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

/** What a system message says in its `custom`: the type of the command, what it did, and whom it let in or out. */
export interface SystemEvent {
  readonly type: string;
  /** For the nodes; clients have the rest. */
  readonly membership?: MembershipChange;
}

/** What {@link selectMessages} reads of a message. */
export interface MessageRow {
  readonly messageId: MessageId;
  readonly chatId: ChatId;
  readonly isGroup: boolean;
  /** The two people of a dialog, added up. */
  readonly pair: number | null;
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
 * Begins a statement that reads messages as $1, a user, sees them; conditions on `message` follow. What belongs to a
 * message is looked up for each by scalar subqueries: in a plan that is kept, a join or an `exists` may become a hash of
 * a whole table.
 */
export const selectMessages = selectMessagesAnd('');

/** The same with more columns, each behind a comma, from what has those of the table `messages`. */
export function selectMessagesAnd(columns: string, messages = 'messages'): string {
  return `
select message.id as "messageId", message.chat_id as "chatId", chat.kind = 'group' as "isGroup",
  chat.user_low + chat.user_high as pair, message.seq, message.kind,
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

/** A message that the user may see now; refuses with `NOT_FOUND` all others, as if they did not exist. */
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

/** A message that the user wrote, as it is now, wherever it is. */
export async function readWritten(db: Queries, userId: UserId, messageId: MessageId): Promise<MessageRow> {
  const [row] = await db.query<MessageRow>(byIdAndSender, [userId, messageId]);
  if (!row) throw new ApiError('NOT_FOUND', `There is no message ${messageId}`);
  return row;
}

/** The same as {@link readMessage}, but for what was deleted. */
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

/** Whose dialog or which group a message is in, seen from who reads: the receiver is whom it was sent to. */
export function chatOf({ isGroup, chatId, pair, senderId }: MessageRow) {
  return isGroup ? { groupId: chatId } : { receiverId: (pair ?? 0) - senderId };
}

/** A message as commands answer it. Each property is named: of rows by the hundred, spreads would be most of the work. */
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

/** The data of whoever wrote it. */
export const customOf = ({ kind, custom }: MessageRow): CustomData | null =>
  kind === 'system' ? null : custom;

/** The event that a system message is about. */
export function eventOf({ kind, custom }: MessageRow) {
  if (kind !== 'system' || !custom) return null;
  const { membership: _, ...event } = custom as unknown as SystemEvent;
  return event;
}

export function reactionsOf({ counts, own }: Pick<MessageRow, 'counts' | 'own'>) {
  if (!counts) return [];
  return Object.entries(counts).map(([emoji, count]) => ({
    emoji,
    count,
    own: own?.includes(emoji) ?? false,
  }));
}
