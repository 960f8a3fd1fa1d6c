import type { Queries } from '../database/database.ts';
import type { Chat } from '../database/models/Chat.ts';
import type { ChatMember } from '../database/models/ChatMember.ts';
import { prepared } from '../database/statements.ts';
import type { UserId } from '../ids.ts';
import { nameOf } from '../users/names.ts';
import { activeUser } from '../users/users.ts';
import { type ChatAddress, membershipIn, type NamedChat } from './membership.ts';

/** A chat as its pushes name it, and the username of the member who acts there. */
export interface Acting {
  readonly chat: NamedChat & Pick<Chat, 'lastSeq' | 'memberCount'>;
  readonly senderName: string;
  /** How far the member has got and read. */
  readonly member?: Pick<ChatMember, 'readSeq' | 'deliveredSeq' | 'markedUnread'>;
}

/**
 * The chat that a member acts in, and their name, with one query: for what members do all the time. Refuses as
 * {@link membershipIn} and {@link activeUser} do, which are asked where there is no such member.
 */
export async function actingIn(db: Queries, userId: UserId, address: ChatAddress): Promise<Acting> {
  const { groupId, receiverId = userId } = address;
  const bind = groupId === undefined ? [userId, receiverId] : [userId, groupId];
  const [row] = await db.query<Row>(groupId === undefined ? inDialog : inGroup, bind);
  if (row) return { chat: row, senderName: row.senderName, member: row };
  const { chat } = await membershipIn(db, userId, address);
  return { chat, senderName: nameOf(await activeUser(db, userId)) };
}

type Row = Acting['chat'] & Required<Acting>['member'] & Pick<Acting, 'senderName'>;

const acting = `
select chat.id, chat.kind, chat.user_low as "userLow", chat.user_high as "userHigh", chat.last_seq as "lastSeq",
  chat.member_count as "memberCount", actor.username as "senderName",
  member.read_seq as "readSeq", member.delivered_seq as "deliveredSeq", member.marked_unread as "markedUnread"
from chats chat
cross join lateral (select * from chat_members where chat_id = chat.id and user_id = $1 limit 1) member
cross join lateral (select username from users where id = $1 and deleted_at is null limit 1) actor
`;

/** $1 user, $2 group. */
const inGroup = prepared(
  'acting in group',
  `${acting} where chat.id = $2 and chat.kind = 'group' and chat.closed_at is null`,
);

/** $1 user, $2 the other person. */
const inDialog = prepared(
  'acting in dialog',
  `${acting} where chat.user_low = least($1::bigint, $2::bigint) and chat.user_high = greatest($1::bigint, $2::bigint)`,
);
