import { Type } from 'typebox';
import { type StateRow, stateColumns } from '../chats/state.sql.ts';
import { wire } from '../database/wire.ts';
import type { ChatId, MessageId, UserId } from '../ids.ts';
import { DEFAULT_LIMIT } from '../messages/history.ts';
import { ChatState, OtherPosition } from '../schema/chats.ts';
import { Version } from '../schema/messages.ts';
import { Id, Limit, MessageKind, Nullable, Page, Seq, Time, UserName } from '../schema/types.ts';
import { DELETED_USER } from '../users/names.ts';
import { defineRead } from './define.ts';

export const listLastMessage = defineRead({
  type: 'listLastMessage',
  summary: 'List the chats of this user, each by its newest message, newest first',
  params: Type.Object({
    limit: Limit,
    page: Page,
    archived: Type.Optional(
      Type.Boolean({ description: 'Only archived chats, or only others; left out: both' }),
    ),
  }),
  result: Type.Object({
    data: Type.Array(
      Type.Object({
        id: Id,
        seq: Seq,
        version: Version,
        kind: MessageKind,
        senderId: Id,
        senderName: UserName,
        receiverId: Nullable(Id),
        receiverName: Nullable(UserName),
        groupId: Nullable(Id),
        groupName: Nullable(Type.String()),
        content: Type.String(),
        createdAt: Time,
        updatedAt: Time,
        deletedAt: Nullable(Time),
        ...ChatState,
        otherReadSeq: Nullable({
          ...OtherPosition,
          description: 'In a dialog: how far the other person has read',
        }),
        otherDeliveredSeq: Nullable({
          ...OtherPosition,
          description: 'In a dialog: how far it has reached them',
        }),
      }),
    ),
  }),
  errors: [],
  async handle({ limit = DEFAULT_LIMIT, page = 1, archived }, { session, db }) {
    const bind = [session.userId, limit, (page - 1) * limit, DELETED_USER, archived ?? null];
    return { data: (await db.select<Row>(newestMessagePerChat, bind)).map(wire) };
  },
});

interface Row extends StateRow {
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
 * From the caller's memberships (index on user_id) to their chats, sorted, and for the page to the newest message
 * of each (primary key) and what is unread: the cost grows with the caller's chats, never with the number of
 * messages. The message id decides between chats of the same millisecond. $1 user, $2 limit, $3 offset, $4 the
 * name of a deleted user, $5 only archived or only others.
 */
const newestMessagePerChat = `
with page as materialized (
  select member.chat_id, chat.last_seq as seq
  from chat_members member join chats chat on chat.id = member.chat_id
  where member.user_id = $1 and chat.last_seq > 0 and ($5::boolean is null or (member.archived_at is not null) = $5)
  order by chat.last_message_at desc, chat.last_message_id desc
  limit $2 offset $3
)
select message.id, message.seq, coalesce(message.version, 0) as version, message.kind, message.content,
  message.sender_id as "senderId", coalesce(sender.username, $4) as "senderName",
  receiver.id as "receiverId",
  case when receiver.id is not null then coalesce(receiver.username, $4) end as "receiverName",
  case when chat.kind = 'group' then chat.id end as "groupId", chat.name as "groupName",
  message.created_at as "createdAt", coalesce(message.edited_at, message.created_at) as "updatedAt",
  message.deleted_at as "deletedAt",
  other.read_seq as "otherReadSeq", other.delivered_seq as "otherDeliveredSeq", ${stateColumns}
from page
join chat_members member on member.chat_id = page.chat_id and member.user_id = $1
join chats chat on chat.id = page.chat_id
join messages message on message.chat_id = page.chat_id and message.seq = page.seq
join users sender on sender.id = message.sender_id
left join users receiver
  on chat.kind = 'dialog' and receiver.id = chat.user_low + chat.user_high - message.sender_id
left join chat_members other
  on chat.kind = 'dialog' and other.chat_id = chat.id and other.user_id = chat.user_low + chat.user_high - $1
order by chat.last_message_at desc, chat.last_message_id desc
`;
