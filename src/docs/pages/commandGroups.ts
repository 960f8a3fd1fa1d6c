import type { Command } from '../../commands/define.ts';
import type { commands } from '../../commands/registry.ts';

/** The groups of commands in the navigation, in its order. */
const GROUPS = [
  'Messages',
  'History',
  'Chats',
  'Groups',
  'People',
  'Presence',
  'Sessions and connection',
] as const;

export type CommandGroup = (typeof GROUPS)[number];

type CommandType = (typeof commands)[number]['type'];

/** The group of every command; a command without one does not compile. */
const GROUP_OF: Readonly<Record<CommandType, CommandGroup>> = {
  messageInGroup: 'Messages',
  privateMessage: 'Messages',
  editMessage: 'Messages',
  deleteMessage: 'Messages',
  addReaction: 'Messages',
  removeReaction: 'Messages',
  pinMessage: 'Messages',
  unpinMessage: 'Messages',
  forwardMessage: 'Messages',
  reportMessage: 'Messages',
  typing: 'Messages',
  sendEvent: 'Messages',

  getlatestMessageDialog: 'History',
  getlatestMessageGroup: 'History',
  getMessages: 'History',
  getMessagesAround: 'History',
  getMessage: 'History',
  getThread: 'History',
  listEdits: 'History',
  listPins: 'History',
  searchMessages: 'History',
  sync: 'History',

  listLastMessage: 'Chats',
  getChat: 'Chats',
  markRead: 'Chats',
  markDelivered: 'Chats',
  getReceipts: 'Chats',
  markUnread: 'Chats',
  muteChat: 'Chats',
  archiveChat: 'Chats',
  pinChat: 'Chats',

  newGroup: 'Groups',
  getGroup: 'Groups',
  listGroups: 'Groups',
  updateGroup: 'Groups',
  deleteGroup: 'Groups',
  joinGroup: 'Groups',
  leaveGroup: 'Groups',
  addUserInGroup: 'Groups',
  removeUserFromGroup: 'Groups',
  listGroupMembers: 'Groups',
  setMemberRole: 'Groups',
  transferOwnership: 'Groups',
  banUser: 'Groups',
  unbanUser: 'Groups',
  createInvite: 'Groups',
  listInvites: 'Groups',
  revokeInvite: 'Groups',
  joinByInvite: 'Groups',

  getProfile: 'People',
  updateProfile: 'People',
  searchUsers: 'People',
  listUsers: 'People',
  blockUser: 'People',
  unblockUser: 'People',
  listBlockedUsers: 'People',

  getPresence: 'Presence',
  subscribePresence: 'Presence',
  unsubscribePresence: 'Presence',
  setPresence: 'Presence',

  listSessions: 'Sessions and connection',
  endSession: 'Sessions and connection',
  endOtherSessions: 'Sessions and connection',
  ping: 'Sessions and connection',
};

/** Returns the commands by their groups. */
export function grouped(commands: readonly Command[]): readonly (readonly [CommandGroup, Command[]])[] {
  const groups: Readonly<Record<string, CommandGroup>> = GROUP_OF;
  return GROUPS.map((group) => [group, commands.filter(({ type }) => groups[type] === group)]);
}
