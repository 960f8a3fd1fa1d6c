/* The conversation that `recordExamples.ts` records, with an example of everything. */

export type Name = 'Ada' | 'Grace' | 'Linus';

/** A request without its id, or a frame that is not a request. */
export type Line = { readonly type: string; readonly params?: object } | string;

/** Values that the conversation uses: ids of users by name, and properties of earlier replies by name. */
export type Known = Readonly<Record<Name | 'nobody', number>> & Record<string, unknown>;

/** The paths of properties in `params` of a reply, by the names under which they are known from then on. */
export type Keep = Readonly<Record<string, string>>;

/** A word of the search; the newest message with it is the one that was forwarded to Grace. */
export const SEARCHED = 'rope';
/** The id of a user, and of a session, that does not exist. */
export const NOBODY = 99;

/** The requests of each user, and the properties of their replies that are kept. */
export const CONVERSATION: readonly (readonly [Name, Line | ((known: Known) => Line), Keep?])[] = [
  ['Ada', { type: 'newGroup', params: { groupName: 'Climbers' } }, { group: 'groupId' }],
  ['Ada', { type: 'newGroup', params: {} }],
  ['Ada', (known) => ({ type: 'addUserInGroup', params: { groupId: known.group, userId: known.Grace } })],
  ['Ada', (known) => ({ type: 'addUserInGroup', params: { groupId: known.group, userId: known.Grace } })],
  ['Ada', (known) => ({ type: 'addUserInGroup', params: { groupId: known.group, userId: known.nobody } })],
  [
    'Grace',
    (known) => messageOnce('messageInGroup', { groupId: known.group, content: 'Shall we meet at six?' }),
  ],
  [
    'Grace',
    (known) => messageOnce('messageInGroup', { groupId: known.group, content: 'Shall we meet at six?' }),
  ],
  ['Linus', (known) => ({ type: 'messageInGroup', params: { groupId: known.group, content: 'Hello?' } })],
  [
    'Ada',
    (known) => ({ type: 'privateMessage', params: { receiverId: known.Grace, content: 'Hi Grace 👋' } }),
  ],
  ['Grace', (known) => ({ type: 'privateMessage', params: { receiverId: known.Ada, content: 'Hi Ada' } })],
  [
    'Grace',
    (known) => messageOnce('privateMessage', { receiverId: known.Ada, content: 'Shall we meet at six?' }),
  ],
  [
    'Ada',
    (known) => ({ type: 'privateMessage', params: { receiverId: known.nobody, content: 'Anybody there?' } }),
  ],
  ['Ada', { type: 'listLastMessage', params: { limit: 20, page: 1 } }],
  ['Ada', { type: 'listLastMessage', params: { limit: 1000 } }],
  ['Ada', (known) => ({ type: 'getChat', params: { receiverId: known.Grace } })],
  ['Linus', (known) => ({ type: 'getChat', params: { groupId: known.group } })],
  [
    'Ada',
    (known) => ({ type: 'getlatestMessageDialog', params: { receiverId: known.Grace, limit: 2, page: 1 } }),
  ],
  ['Ada', { type: 'getlatestMessageDialog', params: { receiverId: '2' } }],
  [
    'Ada',
    (known) => ({ type: 'getlatestMessageGroup', params: { groupId: known.group, limit: 2, page: 1 } }),
  ],
  ['Linus', (known) => ({ type: 'getlatestMessageGroup', params: { groupId: known.group } })],
  ['Grace', (known) => ({ type: 'leaveGroup', params: { groupId: known.group } })],
  ['Grace', (known) => ({ type: 'leaveGroup', params: { groupId: known.group } })],
  ['Ada', (known) => ({ type: 'addUserInGroup', params: { groupId: known.group, userId: known.Grace } })],
  [
    'Ada',
    (known) => ({
      type: 'messageInGroup',
      params: { groupId: known.group, content: 'Who brings the rope, @Grace?', custom: { place: 'hut' } },
    }),
    { question: 'messageId' },
  ],
  [
    'Grace',
    (known) => ({
      type: 'messageInGroup',
      params: { groupId: known.group, content: 'I do', replyTo: known.question, silent: true },
    }),
    { answer: 'messageId' },
  ],
  ['Ada', (known) => ({ type: 'getMessages', params: { groupId: known.group, afterSeq: 4 } })],
  ['Ada', (known) => ({ type: 'getMessagesAround', params: { messageId: known.question, limit: 3 } })],
  ['Ada', (known) => ({ type: 'getMessage', params: { messageId: known.question } })],
  ['Linus', (known) => ({ type: 'getMessage', params: { messageId: known.question } })],
  ['Ada', (known) => ({ type: 'getThread', params: { messageId: known.question } })],
  [
    'Ada',
    (known) => ({
      type: 'editMessage',
      params: { messageId: known.question, content: 'Who brings the ropes, @Grace?' },
    }),
  ],
  ['Ada', (known) => ({ type: 'listEdits', params: { messageId: known.question } })],
  ['Grace', (known) => ({ type: 'addReaction', params: { messageId: known.question, emoji: '👍' } })],
  ['Grace', (known) => ({ type: 'addReaction', params: { messageId: known.question, emoji: 'thumbs up' } })],
  ['Grace', (known) => ({ type: 'removeReaction', params: { messageId: known.question, emoji: '👍' } })],
  ['Ada', (known) => ({ type: 'pinMessage', params: { messageId: known.question } })],
  ['Grace', (known) => ({ type: 'unpinMessage', params: { messageId: known.question } })],
  ['Ada', (known) => ({ type: 'listPins', params: { groupId: known.group } })],
  ['Ada', (known) => ({ type: 'unpinMessage', params: { messageId: known.question } })],
  [
    'Ada',
    (known) => ({ type: 'forwardMessage', params: { messageId: known.question, receiverId: known.Grace } }),
  ],
  ['Grace', (known) => ({ type: 'deleteMessage', params: { messageId: known.answer } })],
  ['Grace', (known) => ({ type: 'deleteMessage', params: { messageId: known.question } })],
  ['Grace', (known) => ({ type: 'reportMessage', params: { messageId: known.question, reason: 'spam' } })],
  [
    'Ada',
    (known) => ({ type: 'sendEvent', params: { groupId: known.group, event: 'poll', custom: { votes: 3 } } }),
  ],
  ['Grace', (known) => ({ type: 'markDelivered', params: { receiverId: known.Ada, seq: 3 } })],
  ['Grace', (known) => ({ type: 'markRead', params: { receiverId: known.Ada, seq: 3 } })],
  ['Ada', (known) => ({ type: 'getReceipts', params: { messageId: known.question } })],
  ['Ada', (known) => ({ type: 'markUnread', params: { groupId: known.group } })],
  ['Ada', (known) => ({ type: 'muteChat', params: { groupId: known.group, muted: true } })],
  ['Ada', (known) => ({ type: 'archiveChat', params: { groupId: known.group, archived: true } })],
  ['Ada', (known) => ({ type: 'pinChat', params: { groupId: known.group, pinned: true } })],
  ['Ada', (known) => ({ type: 'typing', params: { receiverId: known.Grace, typing: true } })],
  ['Ada', { type: 'searchMessages', params: { query: SEARCHED } }],
  ['Ada', { type: 'sync', params: { limit: 3 } }],
  ['Ada', (known) => ({ type: 'getGroup', params: { groupId: known.group } })],
  ['Linus', (known) => ({ type: 'getGroup', params: { groupId: known.group } })],
  [
    'Ada',
    (known) => ({
      type: 'updateGroup',
      params: { groupId: known.group, isPrivate: false, description: 'Every Sunday' },
    }),
  ],
  ['Grace', (known) => ({ type: 'updateGroup', params: { groupId: known.group, isPrivate: true } })],
  ['Linus', { type: 'listGroups', params: { query: 'climb' } }],
  ['Linus', (known) => ({ type: 'joinGroup', params: { groupId: known.group } })],
  ['Ada', (known) => ({ type: 'listGroupMembers', params: { groupId: known.group } })],
  [
    'Ada',
    (known) => ({
      type: 'setMemberRole',
      params: { groupId: known.group, userId: known.Grace, role: 'admin' },
    }),
  ],
  ['Ada', (known) => ({ type: 'transferOwnership', params: { groupId: known.group, userId: known.Grace } })],
  [
    'Grace',
    (known) => ({ type: 'removeUserFromGroup', params: { groupId: known.group, userId: known.Linus } }),
  ],
  [
    'Grace',
    (known) => ({ type: 'banUser', params: { groupId: known.group, userId: known.Linus, reason: 'spam' } }),
  ],
  ['Linus', (known) => ({ type: 'joinGroup', params: { groupId: known.group } })],
  ['Grace', (known) => ({ type: 'unbanUser', params: { groupId: known.group, userId: known.Linus } })],
  [
    'Grace',
    (known) => ({ type: 'createInvite', params: { groupId: known.group, maxUses: 1 } }),
    { code: 'data.code', invite: 'data.inviteId' },
  ],
  ['Grace', (known) => ({ type: 'listInvites', params: { groupId: known.group } })],
  ['Linus', (known) => ({ type: 'joinByInvite', params: { code: known.code } })],
  ['Linus', { type: 'joinByInvite', params: { code: 'nothing' } }],
  ['Grace', (known) => ({ type: 'revokeInvite', params: { groupId: known.group, inviteId: known.invite } })],
  ['Ada', (known) => ({ type: 'deleteGroup', params: { groupId: known.group } })],
  ['Grace', (known) => ({ type: 'deleteGroup', params: { groupId: known.group } })],
  ['Ada', { type: 'getProfile' }],
  ['Ada', { type: 'updateProfile', params: { displayName: 'Ada Lovelace', about: 'Countess of computing' } }],
  ['Grace', { type: 'searchUsers', params: { query: 'ada' } }],
  ['Grace', { type: 'listUsers', params: { limit: 2 } }],
  ['Ada', (known) => ({ type: 'blockUser', params: { userId: known.Linus } })],
  ['Linus', (known) => ({ type: 'privateMessage', params: { receiverId: known.Ada, content: 'Hello?' } })],
  ['Ada', { type: 'listBlockedUsers' }],
  ['Ada', (known) => ({ type: 'unblockUser', params: { userId: known.Linus } })],
  ['Ada', (known) => ({ type: 'getPresence', params: { userIds: [known.Grace, known.Linus] } })],
  ['Ada', (known) => ({ type: 'subscribePresence', params: { userIds: [known.Grace] } })],
  ['Grace', { type: 'setPresence', params: { invisible: true } }],
  ['Ada', { type: 'setPresence', params: { invisible: true } }],
  ['Ada', { type: 'unsubscribePresence' }],
  ['Ada', { type: 'listSessions' }, { laptop: 'data.0.sessionId' }],
  ['Ada', (known) => ({ type: 'endSession', params: { sessionId: known.nobody } })],
  ['Ada', (known) => ({ type: 'endSession', params: { sessionId: known.laptop } })],
  ['Ada', { type: 'endOtherSessions' }],
  ['Ada', { type: 'ping' }],
  ['Linus', { type: 'dance' }],
  ['Linus', 'hello'],
];

function messageOnce(type: string, params: object): Line {
  return { type, params: { ...params, clientMessageId: '5f0c7a52' } };
}
