import type { Static } from 'typebox';
import type { Chat } from '../database/models/Chat.ts';
import type { Role } from '../database/models/ChatMember.ts';
import type { Group } from '../schema/groups.ts';

/** A group as a user with this role sees it. */
export function groupRow(chat: Chat, role: Role | null): Static<typeof Group> {
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
