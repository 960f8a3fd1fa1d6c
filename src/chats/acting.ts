import type { Queries } from '../database/database.ts';
import type { Chat } from '../database/models/Chat.ts';
import type { ChatMember } from '../database/models/ChatMember.ts';
import type { UserId } from '../ids.ts';
import { nameOf } from '../users/names.ts';
import { activeUser } from '../users/users.ts';
import { type ChatAddress, type NamedChat, seatIn } from './seats.ts';

/** A chat as its pushes name it, and the username of the member who acts there. */
export interface Acting {
  readonly chat: NamedChat & Pick<Chat, 'lastSeq' | 'memberCount'>;
  readonly senderName: string;
  /** How far the member has got and read. */
  readonly member?: Pick<ChatMember, 'readSeq' | 'deliveredSeq' | 'markedUnread'>;
}

/**
 * The chat that a member acts in, and their name, with one query: for what members do all the time. Refuses as
 * {@link seatIn} and {@link activeUser} do, which are asked where there is no such member.
 */
export async function actingIn(db: Queries, userId: UserId, address: ChatAddress): Promise<Acting> {
  const { groupId, receiverId = userId } = address;
  const bind = groupId === undefined ? [userId, receiverId] : [userId, groupId];
  const [row] = await db.select<Row>(groupId === undefined ? inDialog : inGroup, bind);
  if (row) return { chat: row, senderName: row.senderName, member: row };
  const { chat } = await seatIn(db, userId, address);
  return { chat, senderName: nameOf(await activeUser(db, userId)) };
}

type Row = Acting['chat'] & Required<Acting>['member'] & Pick<Acting, 'senderName'>;

const acting = `
select chat.id, chat.kind, chat.user_low as "userLow", chat.user_high as "userHigh", chat.last_seq as "lastSeq",
  chat.member_count as "memberCount", actor.username as "senderName",
  member.read_seq as "readSeq", member.delivered_seq as "deliveredSeq", member.marked_unread as "markedUnread"
from chats chat
join chat_members member on member.chat_id = chat.id and member.user_id = $1
join users actor on actor.id = $1 and actor.deleted_at is null
`;

/** $1 user, $2 group. */
const inGroup = `${acting} where chat.id = $2 and chat.kind = 'group' and chat.closed_at is null`;

/** $1 user, $2 the other person. */
const inDialog = `${acting} where chat.user_low = least($1::bigint, $2) and chat.user_high = greatest($1::bigint, $2)`;
