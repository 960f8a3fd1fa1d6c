import type { CommandName } from './protocol.ts';

/* Facts of the commands, written by `npm run docs` from their definitions. Do not edit. */

/** Take a `clientMessageId`. */
export const STORING: readonly CommandName[] = [
  'forwardMessage',
  'messageInGroup',
  'newGroup',
  'privateMessage',
];

/** Must not be sent again after a broken connection. */
export const UNREPEATABLE: readonly CommandName[] = [
  'addUserInGroup',
  'createInvite',
  'leaveGroup',
  'removeUserFromGroup',
  'sendEvent',
  'typing',
];

/** May overtake other commands about the same chat. */
export const UNORDERED: readonly CommandName[] = [
  'getChat',
  'getGroup',
  'getMessage',
  'getMessages',
  'getMessagesAround',
  'getPresence',
  'getProfile',
  'getReceipts',
  'getThread',
  'getlatestMessageDialog',
  'getlatestMessageGroup',
  'listBlockedUsers',
  'listEdits',
  'listGroupMembers',
  'listGroups',
  'listInvites',
  'listLastMessage',
  'listPins',
  'listSessions',
  'listUsers',
  'ping',
  'searchMessages',
  'searchUsers',
  'sendEvent',
  'sync',
  'typing',
];
