import type { Transaction } from 'sequelize';
import type { Queries } from '../database/database.ts';
import type { Chat } from '../database/models/Chat.ts';
import type { ChatMember, Role } from '../database/models/ChatMember.ts';
import { prepared } from '../database/statements.ts';
import type { ChatId, UserId } from '../ids.ts';
import { ApiError } from '../protocol/errors.ts';
import type { Fields } from '../protocol/frames.ts';
import { nameOf } from '../users/names.ts';
import { otherIn } from '../users/pairs.ts';

/** The address of a chat in a request. The schema ensures that exactly one of the two is present. */
export interface ChatAddress {
  readonly receiverId?: UserId;
  readonly groupId?: ChatId;
}

/** A chat and the user's row in it, with the columns that commands need which do not change the group. */
export interface Membership {
  readonly chat: MembershipChat;
  readonly member: MembershipMember;
}

/** The columns that identify a chat to its members. */
export type NamedChat = Pick<Chat, 'id' | 'kind' | 'userLow' | 'userHigh'>;

export type MembershipChat = NamedChat & Pick<Chat, 'lastSeq' | 'memberCount' | 'whoMayAdd' | 'whoMayPost'>;
export type MembershipMember = Pick<ChatMember, 'userId' | 'role' | 'firstSeq'>;

/** Returns the membership of a user in a chat; refuses with `NOT_FOUND` or `NOT_A_MEMBER`. */
export async function membershipIn(
  db: Queries,
  userId: UserId,
  { receiverId, groupId }: ChatAddress,
): Promise<Membership> {
  if (groupId !== undefined) return membershipInGroup(db, userId, groupId);
  const { membership } = await dialogWith(db, userId, receiverId);
  if (!membership) throw new ApiError('NOT_FOUND', `There is no dialog with user ${receiverId} yet`);
  return membership;
}

/** Two users with their current names, and their dialog. */
export interface Dialog {
  readonly ownName: string;
  readonly otherName: string;
  /** Undefined if there is no dialog yet. */
  readonly membership: Membership | undefined;
}

/** Returns the dialog of two users; refuses with `NOT_FOUND` if the receiver does not exist. */
export async function dialogWith(
  db: Queries,
  userId: UserId,
  receiverId: UserId | undefined,
): Promise<Dialog> {
  if (receiverId === undefined) throw new ApiError('BAD_REQUEST', 'receiverId or groupId is required');
  const [row] = await db.query<DialogRow>(dialog, [userId, receiverId]);
  if (!row) throw new ApiError('NOT_FOUND', `There is no user ${receiverId}`);
  return {
    ownName: nameOf({ username: row.ownName }),
    otherName: nameOf({ username: row.otherName }),
    membership: membershipOf(row, userId),
  };
}

/** Returns the membership of a user in a group; refuses with `NOT_FOUND` or `NOT_A_MEMBER`. */
export async function membershipInGroup(
  db: Queries,
  userId: UserId,
  groupId: ChatId,
  transaction?: Transaction,
): Promise<Membership> {
  const [row] = await db.query<MembershipRow>(groupMembership, [userId, groupId], transaction);
  if (!row) throw new ApiError('NOT_FOUND', `There is no group ${groupId}`);
  const membership = membershipOf(row, userId);
  if (!membership) throw new ApiError('NOT_A_MEMBER');
  return membership;
}

interface MembershipRow extends MembershipChat {
  /** Null if the user is not a member, or the dialog does not exist. */
  readonly role: Role | null;
  readonly firstSeq: number;
}

interface DialogRow extends MembershipRow {
  readonly ownName: string | null;
  readonly otherName: string | null;
}

function membershipOf({ role, firstSeq, ...chat }: MembershipRow, userId: UserId): Membership | undefined {
  return role === null ? undefined : { chat, member: { userId, role, firstSeq } };
}

/** Columns of `chat` and of `member`, its row of chat_members. */
const membershipColumns = `
chat.id, chat.kind, chat.user_low as "userLow", chat.user_high as "userHigh", chat.last_seq as "lastSeq",
chat.member_count as "memberCount", chat.who_may_add as "whoMayAdd", chat.who_may_post as "whoMayPost", member.role, member.first_seq as "firstSeq"
`;

/** Reads the group $2 and the membership of the user $1; no row if the group does not exist or is closed. */
const groupMembership = prepared(
  'group membership',
  `
select ${membershipColumns}
from chats chat
left join chat_members member on member.chat_id = chat.id and member.user_id = $1
where chat.id = $2 and chat.kind = 'group' and chat.closed_at is null
`,
);

/** Reads the user $2 and the membership of $1 in the dialog with them; no row if the user $2 does not exist. */
const dialog = prepared(
  'dialog',
  `
select ${membershipColumns}, (select username from users where id = $1) as "ownName", other.username as "otherName"
from users other
left join chats chat on chat.user_low = least($1::bigint, $2::bigint) and chat.user_high = greatest($1::bigint, $2::bigint)
left join chat_members member on member.chat_id = chat.id and member.user_id = $1
where other.id = $2
`,
);

/** Returns a group that is not closed; refuses with `NOT_FOUND`. `lock` locks it against other writers. */
export async function openGroup(
  db: Queries,
  groupId: ChatId,
  transaction: Transaction | null = null,
  lock = false,
): Promise<Chat> {
  const group = await db.chats.findOne({
    where: { id: groupId, kind: 'group', closedAt: null },
    transaction,
    ...(lock && transaction && { lock: transaction.LOCK.NO_KEY_UPDATE }),
  });
  if (!group) throw new ApiError('NOT_FOUND', `There is no group ${groupId}`);
  return group;
}

/** Refuses with `FORBIDDEN` unless the member has one of the roles. */
export function requireRole(member: Pick<ChatMember, 'role'>, ...roles: readonly Role[]): void {
  if (!roles.includes(member.role))
    throw new ApiError('FORBIDDEN', `Only ${roles.map((role) => `the ${role}`).join(' or ')} may do this`);
}

/** Returns the queue key for changes of a user's own state in a chat. */
export function ownStateOf(chat: NamedChat, userId: UserId): string {
  return `member:${chat.id}:${userId}`;
}

/** Returns the fields that, together with `senderId`, identify the chat in a push. */
export function addressOf(chat: NamedChat, userId: UserId): Fields {
  return chat.kind === 'group' ? { groupId: chat.id } : { receiverId: otherIn(chat, userId) };
}
