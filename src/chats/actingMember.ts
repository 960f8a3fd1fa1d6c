import type { Queries } from '../database/database.ts';
import type { Chat } from '../database/models/Chat.ts';
import type { ChatMember } from '../database/models/ChatMember.ts';
import { prepared } from '../database/statements.ts';
import type { UserId } from '../ids.ts';
import { nameOf } from '../users/names.ts';
import { activeUser } from '../users/users.ts';
import { type ChatAddress, membershipIn, type NamedChat } from './membership.ts';

/** A chat, and the username of the acting member for its pushes. */
export interface Acting {
  readonly chat: NamedChat & Pick<Chat, 'lastSeq' | 'memberCount'>;
  readonly senderName: string;
  /** The positions of the member. */
  readonly member?: Pick<ChatMember, 'readSeq' | 'deliveredSeq' | 'markedUnread'>;
}

/**
 * Returns a chat and the name of the acting member with one query, for frequent commands. Refuses like {@link
 * membershipIn} and {@link activeUser}, which determine the reason if there is no such member.
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

/** $1 user, $2 the other member. */
const inDialog = prepared(
  'acting in dialog',
  `${acting} where chat.user_low = least($1::bigint, $2::bigint) and chat.user_high = greatest($1::bigint, $2::bigint)`,
);
