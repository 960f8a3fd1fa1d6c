import { prepared } from '../database/statements.ts';
import type { ChatId, MessageId, UserId } from '../ids.ts';
import { DELETED_USER } from '../users/names.ts';
import { otherColumns, type StateRow, stateColumns } from './state.sql.ts';

/** A chat by its newest message, to be put through `wire`. */
export interface ChatRow extends StateRow {
  readonly id: MessageId;
  readonly seq: number;
  readonly version: number;
  readonly kind: 'text' | 'system';
  readonly senderId: UserId;
  readonly senderName: string;
  readonly receiverId: UserId | null;
  readonly receiverName: string | null;
  readonly groupId: ChatId | null;
  readonly groupName: string | null;
  readonly content: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly deletedAt: Date | null;
  readonly otherReadSeq: number | null;
  readonly otherDeliveredSeq: number | null;
}

/**
 * Reads the chats of `page` (chat_id, and `seq`, which is the chat's `last_seq`) as the user $1 sees them. One statement
 * reads one snapshot: the counts are those at `seq`.
 */
const rowsOfPage = `
select message.id, message.seq, coalesce(message.version, 0) as version, message.kind, message.content,
  message.sender_id as "senderId", coalesce(sender.username, '${DELETED_USER}') as "senderName",
  receiver.id as "receiverId",
  case when receiver.id is not null then coalesce(receiver.username, '${DELETED_USER}') end as "receiverName",
  case when chat.kind = 'group' then chat.id end as "groupId", chat.name as "groupName",
  message.created_at as "createdAt", coalesce(message.edited_at, message.created_at) as "updatedAt",
  message.deleted_at as "deletedAt",
  ${otherColumns}, ${stateColumns}
from page
join chat_members member on member.chat_id = page.chat_id and member.user_id = $1
join chats chat on chat.id = page.chat_id
join messages message on message.chat_id = page.chat_id and message.seq = page.seq
join users sender on sender.id = message.sender_id
left join users receiver
  on chat.kind = 'dialog' and receiver.id = chat.user_low + chat.user_high - message.sender_id
left join chat_members other
  on chat.kind = 'dialog' and other.chat_id = chat.id and other.user_id = chat.user_low + chat.user_high - $1
`;

/**
 * From the caller's memberships (index on user_id) to their chats, sorted, and for the page to the newest message
 * of each (primary key) and what is unread: the cost grows with the caller's chats, never with the number of
 * messages. Between chats of the same millisecond the message id decides, as far as it was known when the message was
 * stored (writePlain.sql.ts), and then the chat, so that pages have each once. $1 user, $2 limit, $3 offset, $4 only
 * archived or only others.
 */
export const newestChats = prepared(
  'newest chats',
  `
with page as materialized (
  select member.chat_id, chat.last_seq as seq
  from chat_members member join chats chat on chat.id = member.chat_id
  where member.user_id = $1 and chat.last_seq > 0 and ($4::boolean is null or (member.archived_at is not null) = $4)
  order by chat.last_message_at desc, chat.last_message_id desc, chat.id desc
  limit $2 offset $3
)
${rowsOfPage}
order by chat.last_message_at desc, chat.last_message_id desc, chat.id desc
`,
);

/** The chat $2 as the member $1 sees it; no row where nothing was written. */
export const oneChat = prepared(
  'one chat',
  `
with page as materialized (select id as chat_id, last_seq as seq from chats where id = $2)
${rowsOfPage}
`,
);
