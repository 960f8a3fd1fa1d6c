import { addReaction } from './addReaction.ts';
import { addUserInGroup } from './addUserInGroup.ts';
import { archiveChat } from './archiveChat.ts';
import { banUser } from './banUser.ts';
import { blockUser } from './blockUser.ts';
import { createInvite } from './createInvite.ts';
import type { Command } from './define.ts';
import { deleteGroup } from './deleteGroup.ts';
import { deleteMessage } from './deleteMessage.ts';
import { editMessage } from './editMessage.ts';
import { endOtherSessions } from './endOtherSessions.ts';
import { endSession } from './endSession.ts';
import { forwardMessage } from './forwardMessage.ts';
import { getChat } from './getChat.ts';
import { getGroup } from './getGroup.ts';
import { getlatestMessageDialog } from './getlatestMessageDialog.ts';
import { getlatestMessageGroup } from './getlatestMessageGroup.ts';
import { getMessage } from './getMessage.ts';
import { getMessages } from './getMessages.ts';
import { getMessagesAround } from './getMessagesAround.ts';
import { getPresence } from './getPresence.ts';
import { getProfile } from './getProfile.ts';
import { getReceipts } from './getReceipts.ts';
import { getThread } from './getThread.ts';
import { joinByInvite } from './joinByInvite.ts';
import { joinGroup } from './joinGroup.ts';
import { leaveGroup } from './leaveGroup.ts';
import { listBlockedUsers } from './listBlockedUsers.ts';
import { listEdits } from './listEdits.ts';
import { listGroupMembers } from './listGroupMembers.ts';
import { listGroups } from './listGroups.ts';
import { listInvites } from './listInvites.ts';
import { listLastMessage } from './listLastMessage.ts';
import { listPins } from './listPins.ts';
import { listSessions } from './listSessions.ts';
import { listUsers } from './listUsers.ts';
import { markDelivered } from './markDelivered.ts';
import { markRead } from './markRead.ts';
import { markUnread } from './markUnread.ts';
import { messageInGroup } from './messageInGroup.ts';
import { muteChat } from './muteChat.ts';
import { newGroup } from './newGroup.ts';
import { pinChat } from './pinChat.ts';
import { ping } from './ping.ts';
import { pinMessage } from './pinMessage.ts';
import { privateMessage } from './privateMessage.ts';
import { removeReaction } from './removeReaction.ts';
import { removeUserFromGroup } from './removeUserFromGroup.ts';
import { reportMessage } from './reportMessage.ts';
import { revokeInvite } from './revokeInvite.ts';
import { searchMessages } from './searchMessages.ts';
import { searchUsers } from './searchUsers.ts';
import { sendEvent } from './sendEvent.ts';
import { setMemberRole } from './setMemberRole.ts';
import { setPresence } from './setPresence.ts';
import { subscribePresence } from './subscribePresence.ts';
import { sync } from './sync.ts';
import { transferOwnership } from './transferOwnership.ts';
import { typing } from './typing.ts';
import { unbanUser } from './unbanUser.ts';
import { unblockUser } from './unblockUser.ts';
import { unpinMessage } from './unpinMessage.ts';
import { unsubscribePresence } from './unsubscribePresence.ts';
import { updateGroup } from './updateGroup.ts';
import { updateProfile } from './updateProfile.ts';

/** Every command there is, in the order of the documents. */
export const commands = [
  listLastMessage,
  getlatestMessageDialog,
  getlatestMessageGroup,
  newGroup,
  addUserInGroup,
  leaveGroup,
  messageInGroup,
  privateMessage,

  getChat,
  getMessages,
  getMessagesAround,
  getMessage,
  getThread,
  editMessage,
  listEdits,
  deleteMessage,
  addReaction,
  removeReaction,
  pinMessage,
  unpinMessage,
  listPins,
  forwardMessage,
  reportMessage,
  sendEvent,

  markRead,
  markDelivered,
  getReceipts,
  markUnread,
  muteChat,
  archiveChat,
  pinChat,
  typing,

  searchMessages,
  sync,

  getGroup,
  listGroups,
  updateGroup,
  deleteGroup,
  joinGroup,
  listGroupMembers,
  setMemberRole,
  transferOwnership,
  removeUserFromGroup,
  banUser,
  unbanUser,
  createInvite,
  listInvites,
  revokeInvite,
  joinByInvite,

  getProfile,
  updateProfile,
  searchUsers,
  listUsers,
  blockUser,
  unblockUser,
  listBlockedUsers,

  getPresence,
  subscribePresence,
  unsubscribePresence,
  setPresence,

  listSessions,
  endSession,
  endOtherSessions,

  ping,
] as const;

export const registry: ReadonlyMap<string, Command> = new Map(
  commands.map((command): [string, Command] => [command.type, command]),
);
