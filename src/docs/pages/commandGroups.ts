import type { CommandDescription } from '../../commands/define.ts';
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
  'Service',
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

/** Returns true for a service command. */
export const isOfService = (command: CommandDescription): boolean => 'scope' in command;

/** Returns the path of the page of a command, relative to the folder of the pages. */
export const pathOf = (command: CommandDescription): string =>
  `${isOfService(command) ? 'service' : 'commands'}/${command.type}`;

/** Returns the commands by their groups; service commands are a group of their own. */
export function grouped(
  commands: readonly CommandDescription[],
): readonly (readonly [CommandGroup, CommandDescription[]])[] {
  const groups: Readonly<Record<string, CommandGroup>> = GROUP_OF;
  const groupOf = (command: CommandDescription) => (isOfService(command) ? 'Service' : groups[command.type]);
  return GROUPS.map((group) => [group, commands.filter((command) => groupOf(command) === group)]);
}
