import { prepared } from '../database/statements.ts';
import type { ChatId, MessageId, UserId } from '../ids.ts';
import { nameOfUser } from '../users/names.ts';
import { otherInSql } from '../users/pairs.ts';
import { otherColumns, type StateRow, stateColumns } from './memberState.sql.ts';

/** A chat with its newest message, to be converted with `wire`. */
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
 * Reads the chats of `page` (chat_id, and `seq`, which is the chat's `last_seq`) as the user $1 sees them. Being one
 * statement, it reads one snapshot, so the counts match `seq`. All rows are read by key.
 */
const rowsOfPage = `
select message.id, message.seq, coalesce(message.version, 0) as version, message.kind, message.content,
  message.sender_id as "senderId",
  ${nameOfUser('message.sender_id')} as "senderName",
  receiver.id as "receiverId",
  case when receiver.id is not null then ${nameOfUser('receiver.id')} end as "receiverName",
  case when chat.kind = 'group' then chat.id end as "groupId", chat.name as "groupName",
  message.created_at as "createdAt", coalesce(message.edited_at, message.created_at) as "updatedAt",
  message.deleted_at as "deletedAt",
  ${otherColumns}, ${stateColumns}
from page
cross join lateral (select * from chat_members where chat_id = page.chat_id and user_id = $1 limit 1) member
cross join lateral (select * from chats where id = page.chat_id limit 1) chat
cross join lateral (select * from messages where chat_id = page.chat_id and seq = page.seq limit 1) message
cross join lateral (
  select case when chat.kind = 'dialog' then ${otherInSql('chat', 'message.sender_id')} end as id
) receiver
left join lateral (
  select * from chat_members
  where chat.kind = 'dialog' and chat_id = chat.id and user_id = ${otherInSql('chat', '$1')}
  limit 1
) other on true
`;

/**
 * Reads the memberships of the user (index chat_members_by_user), their chats by a list of ids in one pass over the
 * primary key, and for the chats of the page the newest message and the counts. Each page reads a row for each of the
 * user's chats, and nothing that grows with the chats and messages of others. Chats of the same millisecond are ordered
 * by the message id, as far as it was known when the message was stored (writePlain.sql.ts), and then by chat id, so
 * that pages do not overlap. $1 user, $2 limit, $3 offset, $4 only archived or only others.
 */
export const newestChats = prepared(
  'newest chats',
  `
with page as materialized (
  select id as chat_id, last_seq as seq
  from chats
  where last_seq > 0 and closed_at is null and id = any (array(
    select chat_id from chat_members
    where user_id = $1 and ($4::boolean is null or (archived_at is not null) = $4)
  ))
  order by last_message_at desc, last_message_id desc, id desc
  limit $2 offset $3
)
${rowsOfPage}
order by chat.last_message_at desc, chat.last_message_id desc, chat.id desc
`,
);

/** Reads the chat $2 as the member $1 sees it; no row if it has no messages. */
export const oneChat = prepared(
  'one chat',
  `
with page as materialized (select id as chat_id, last_seq as seq from chats where id = $2)
${rowsOfPage}
`,
);
