import type { Transaction } from 'sequelize';
import type { Queries } from '../database/database.ts';
import type { Chat } from '../database/models/Chat.ts';
import type { ChatMember, Role } from '../database/models/ChatMember.ts';
import { ApiError } from '../errors.ts';
import type { ChatId, UserId } from '../ids.ts';
import { pairOf } from '../messages/dialogs.ts';
import type { Fields } from '../socket/frames.ts';
import { existingUser } from '../users/users.ts';

/** How a request names a chat: the schema sees to it that it is exactly one of the two. */
export interface ChatAddress {
  readonly receiverId?: UserId;
  readonly groupId?: ChatId;
}

/** A user's place in a chat. */
export interface Seat {
  readonly chat: Chat;
  readonly member: ChatMember;
}

/** What names a chat to those who are in it. */
export type NamedChat = Pick<Chat, 'id' | 'kind' | 'userLow' | 'userHigh'>;

/** The place of a user in a chat; refuses with `NOT_FOUND` or `NOT_A_MEMBER`. */
export async function seatIn(
  db: Queries,
  userId: UserId,
  { receiverId, groupId }: ChatAddress,
  transaction: Transaction | null = null,
): Promise<Seat> {
  if (groupId !== undefined) return seatInGroup(db, userId, groupId, transaction);
  const chat = await dialogWith(db, userId, receiverId, transaction);
  const member = chat && (await db.members.findOne({ where: { chatId: chat.id, userId }, transaction }));
  if (!member) throw new ApiError('NOT_FOUND', `There is no dialog with user ${receiverId} yet`);
  return { chat, member };
}

/** Returns the dialog of two people, null where there is none yet; refuses with `NOT_FOUND` who is nobody. */
export async function dialogWith(
  db: Queries,
  userId: UserId,
  receiverId: UserId | undefined,
  transaction: Transaction | null = null,
): Promise<Chat | null> {
  if (receiverId === undefined) throw new ApiError('BAD_REQUEST', 'receiverId or groupId is required');
  await existingUser(db, receiverId, transaction);
  const { low, high } = pairOf(userId, receiverId);
  return db.chats.findOne({ where: { userLow: low, userHigh: high }, transaction });
}

/** The place of a user in a group. */
export async function seatInGroup(
  db: Queries,
  userId: UserId,
  groupId: ChatId,
  transaction: Transaction | null = null,
): Promise<Seat> {
  const chat = await openGroup(db, groupId, transaction);
  const member = await db.members.findOne({ where: { chatId: groupId, userId }, transaction });
  if (!member) throw new ApiError('NOT_A_MEMBER');
  return { chat, member };
}

/** A group that is neither deleted nor left by everybody; `lock` keeps others from writing to it meanwhile. */
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
export function assertRole(member: ChatMember, ...roles: readonly Role[]): void {
  if (!roles.includes(member.role))
    throw new ApiError('FORBIDDEN', `Only ${roles.map((role) => `the ${role}`).join(' or ')} may do this`);
}

/** The other person of a dialog; oneself in the notes to oneself. */
export function otherIn({ userLow, userHigh }: NamedChat, userId: UserId): UserId {
  return (userLow as number) + (userHigh as number) - userId;
}

/** Names what a user has to do with a chat, for changes of it to go one after another. */
export function ownStateOf(chat: NamedChat, userId: UserId): string {
  return `member:${chat.id}:${userId}`;
}

/** How a push names the chat, beside `senderId`: who knows both knows which chat it is. */
export function addressOf(chat: NamedChat, userId: UserId): Fields {
  return chat.kind === 'group' ? { groupId: chat.id } : { receiverId: otherIn(chat, userId) };
}
