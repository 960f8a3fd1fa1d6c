import { QueryTypes } from 'sequelize';
import { Type } from 'typebox';
import type { ChatId, MessageId, UserId } from '../ids.ts';
import { DEFAULT_LIMIT } from '../messages/history.ts';
import { Id, Limit, MessageKind, Nullable, Page, Seq, Time, UserName } from '../schema/types.ts';
import { DELETED_USER } from '../users/names.ts';
import { defineCommand } from './define.ts';

export const listLastMessage = defineCommand({
  type: 'listLastMessage',
  summary: 'List the chats of this user, each by its newest message, newest first',
  params: Type.Object({ limit: Limit, page: Page }),
  result: Type.Object({
    data: Type.Array(
      Type.Object({
        id: Id,
        seq: Seq,
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
      }),
    ),
  }),
  errors: [],
  async handle({ limit = DEFAULT_LIMIT, page = 1 }, { session, db }) {
    const rows = await db.sequelize.query<Row>(newestMessagePerChat, {
      bind: [session.userId, limit, (page - 1) * limit, DELETED_USER],
      type: QueryTypes.SELECT,
    });
    const data = rows.map((row) => ({
      ...row,
      createdAt: row.createdAt.toISOString(),
      updatedAt: row.updatedAt.toISOString(),
      deletedAt: row.deletedAt?.toISOString() ?? null,
    }));
    return { data };
  },
});

interface Row {
  readonly id: MessageId;
  readonly seq: number;
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
}

/**
 * From the caller's memberships (index on user_id) to the one newest message of each chat (primary key): the
 * cost grows with the caller's chats, never with the number of messages. The message id decides between chats
 * of the same millisecond. $1 user, $2 limit, $3 offset, $4 the name of a deleted user.
 */
const newestMessagePerChat = `
select message.id, message.seq, message.kind, message.content,
  message.sender_id as "senderId", coalesce(sender.username, $4) as "senderName",
  receiver.id as "receiverId",
  case when receiver.id is not null then coalesce(receiver.username, $4) end as "receiverName",
  case when chat.kind = 'group' then chat.id end as "groupId", chat.name as "groupName",
  message.created_at as "createdAt", coalesce(message.edited_at, message.created_at) as "updatedAt",
  message.deleted_at as "deletedAt"
from chat_members member
join chats chat on chat.id = member.chat_id
join messages message on message.chat_id = chat.id and message.seq = chat.last_seq
join users sender on sender.id = message.sender_id
left join users receiver
  on chat.kind = 'dialog' and receiver.id = chat.user_low + chat.user_high - message.sender_id
where member.user_id = $1
order by chat.last_message_at desc, message.id desc
limit $2 offset $3
`;
