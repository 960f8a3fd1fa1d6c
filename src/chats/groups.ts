import type { Static } from 'typebox';
import type { Chat } from '../database/models/Chat.ts';
import type { Role } from '../database/models/ChatMember.ts';
import type { Group } from '../protocol/schema/groups.ts';

/** The columns of `chats` that describe a group. */
export type GroupColumns = Pick<
  Chat,
  | 'id'
  | 'name'
  | 'description'
  | 'isPrivate'
  | 'whoMayAdd'
  | 'whoMayPost'
  | 'slowModeSeconds'
  | 'historyFrom'
  | 'custom'
  | 'memberCount'
  | 'createdAt'
>;

/** The columns in SQL, except the id. */
export const groupColumns = `
name, description, is_private as "isPrivate", who_may_add as "whoMayAdd", who_may_post as "whoMayPost",
slow_mode_seconds as "slowModeSeconds", history_from as "historyFrom", custom, member_count as "memberCount",
created_at as "createdAt"
`;

/** Returns a group as a user with this role sees it. */
export function groupRow(chat: GroupColumns, role: Role | null): Static<typeof Group> {
  const { id: groupId, name, description, isPrivate, whoMayAdd, whoMayPost } = chat;
  const { slowModeSeconds, historyFrom, custom, memberCount } = chat;
  return {
    groupId,
    groupName: name ?? '',
    description,
    isPrivate,
    whoMayAdd,
    whoMayPost,
    slowModeSeconds,
    historyFrom,
    custom,
    memberCount,
    createdAt: chat.createdAt.toISOString(),
    role,
  };
}
