import type { Client } from 'pg';
import { CASE, LARGE_GROUP, NEWEST_NAMES, wordOf } from './generate.sql.ts';

/** A command in its ordinary or its worst case. */
export interface Case {
  readonly name: string;
  readonly user: keyof typeof CASE;
  readonly type: string;
  /** Returns the params of the n-th run, from 0, which may differ. */
  readonly params: (n: number) => object | Promise<object>;
}

/** Ids and sizes that the cases use. */
interface Sizes {
  readonly largeGroup: number;
  readonly members: number;
  readonly messages: number;
  readonly longDialog: number;
  readonly users: number;
}

const sizes = `
select large.id::int as "largeGroup", large.member_count as members, large.last_seq::int as messages,
  dialog.last_seq::int as "longDialog", (select max(id)::int from users) as users
from chats large, chats dialog
where large.name = '${LARGE_GROUP}' and dialog.user_low = ${CASE.longDialog} and dialog.user_high = ${CASE.longDialogOther}
`;

/** Returns a case of a command. */
const caseOf = (name: string, user: Case['user'], type: string, params: Case['params']): Case => ({
  name,
  user,
  type,
  params,
});

async function readSizes(db: Client): Promise<Sizes> {
  const { rows } = await db.query<Sizes>(sizes);
  if (!rows[0]) throw new Error('the data is missing');
  return rows[0];
}

/** Returns the cases of read commands on the generated data. */
export async function readingCases(db: Client): Promise<Case[]> {
  const found = await readSizes(db);
  const idAt = async (seq: number) => {
    const { rows } = await db.query<{ id: number }>(
      'select id::int from messages where chat_id = $1 and seq = $2',
      [found.largeGroup, seq],
    );
    return rows[0]?.id;
  };
  const middle = await idAt(Math.floor(found.messages / 2));
  const newest = await idAt(found.messages);
  return [
    ...listCases(found.largeGroup),
    ...historyCases(found, middle, newest),
    ...userCases(found.users),
    ...searchCases(found.largeGroup),
  ];
}

/** Lists of chats and groups, and the state of one. */
function listCases(groupId: number): Case[] {
  return [
    caseOf('list of 20 chats', 'ordinary', 'listLastMessage', () => ({ limit: 20 })),
    caseOf('list of many chats, first page', 'manyChats', 'listLastMessage', () => ({ limit: 100 })),
    caseOf('list of many chats, any page', 'manyChats', 'listLastMessage', (n) => ({
      limit: 100,
      page: 1 + ((n * 37) % 100),
    })),
    caseOf('list with 300,000 unread', 'behind', 'listLastMessage', () => ({ limit: 20 })),
    caseOf('large group, 300,000 unread', 'behind', 'getChat', () => ({ groupId })),
    caseOf('groups of who is in many', 'manyChats', 'listGroups', () => ({ limit: 100 })),
    caseOf('public groups by a part of the name', 'ordinary', 'listGroups', () => ({
      query: 'anybody',
      limit: 100,
    })),
  ];
}

/** Messages of the large group and of the long dialog, by page and by message. */
function historyCases(
  { largeGroup: groupId, messages, longDialog }: Sizes,
  middle: number | undefined,
  newest: number | undefined,
): Case[] {
  const receiverId = CASE.longDialogOther;
  return [
    caseOf('history: large group, first page', 'ordinary', 'getlatestMessageGroup', () => ({
      groupId,
      limit: 100,
    })),
    caseOf('history: large group, any page', 'ordinary', 'getlatestMessageGroup', (n) => ({
      groupId,
      limit: 100,
      page: 1 + ((n * 7919) % Math.floor(messages / 100)),
    })),
    caseOf('history: long dialog, any page', 'longDialog', 'getlatestMessageDialog', (n) => ({
      receiverId,
      limit: 100,
      page: 1 + ((n * 7919) % Math.floor(longDialog / 100)),
    })),
    caseOf('history: by seq', 'ordinary', 'getMessages', (n) => ({
      groupId,
      afterSeq: (n * 7919) % (messages - 200),
      limit: 100,
    })),
    caseOf('history: around a message', 'ordinary', 'getMessagesAround', () => ({
      messageId: middle,
      limit: 50,
    })),
    caseOf('thread', 'ordinary', 'getThread', () => ({ messageId: middle })),
    caseOf('pins', 'ordinary', 'listPins', () => ({ groupId })),
    caseOf('receipts of a message', 'owner', 'getReceipts', () => ({ messageId: newest, limit: 100 })),
    caseOf('members: first page', 'ordinary', 'listGroupMembers', () => ({ groupId, limit: 100 })),
  ];
}

/** Users, their presence and their sessions. */
function userCases(users: number): Case[] {
  return [
    caseOf('profile', 'ordinary', 'getProfile', (n) => ({ userId: 1 + ((n * 7919) % users) })),
    caseOf('presence of 100, one with many sessions', 'ordinary', 'getPresence', () => ({
      userIds: [CASE.manySessions, ...Array.from({ length: 99 }, (_, n) => 100 + n * 17)],
    })),
    caseOf('live sessions, many ended', 'manySessions', 'listSessions', () => ({ live: true })),
    caseOf('sessions, many ended', 'manySessions', 'listSessions', () => ({ limit: 100 })),
    caseOf('users', 'ordinary', 'listUsers', () => ({ limit: 100 })),
    caseOf('users by one letter', 'ordinary', 'searchUsers', () => ({ query: 'a', limit: 100 })),
    caseOf('users by what only the newest have', 'ordinary', 'searchUsers', () => ({
      query: NEWEST_NAMES,
      limit: 100,
    })),
    caseOf('users by an unknown name', 'ordinary', 'searchUsers', () => ({ query: 'nobody', limit: 100 })),
    caseOf('users by the name of one', 'ordinary', 'searchUsers', (n) => ({
      query: `person ${users - n}`,
      limit: 100,
    })),
  ];
}

/** Numbers of a common word, and of a word in one of a hundred thousand messages. */
const [COMMON, RARE] = [3, 31_000];

const search = (name: string, user: Case['user'], params: object): Case => ({
  name: `search: ${name}`,
  user,
  type: 'searchMessages',
  params: () => ({ limit: 20, ...params }),
});

function searchCases(groupId: number): Case[] {
  const receiverId = CASE.longDialogOther;
  return [
    ...searchCasesInAllChats(),
    ...searchCasesInGroup(groupId),
    search('rare word, long dialog', 'longDialog', { receiverId, query: wordOf(RARE, 0) }),
    search('common word, long dialog', 'longDialog', { receiverId, query: wordOf(COMMON, 0) }),
    search('part of a word, long dialog', 'longDialog', { receiverId, query: wordOf(RARE, 0).slice(1) }),
  ];
}

function searchCasesInAllChats(): Case[] {
  return [
    search('rare word, 20 chats', 'ordinary', { query: wordOf(RARE, 0) }),
    search('common word, 20 chats', 'ordinary', { query: wordOf(COMMON, 0) }),
    search('rare word, many chats', 'manyChats', { query: wordOf(RARE, 0) }),
    search('common word, many chats', 'manyChats', { query: wordOf(COMMON, 0) }),
    search('two common words, many chats', 'manyChats', {
      query: `${wordOf(COMMON, 0)} ${wordOf(COMMON + 1, 0)}`,
    }),
    search('unknown word, many chats', 'manyChats', { query: 'xylophone' }),
    search('part of a word, many chats', 'manyChats', { query: wordOf(RARE, 0).slice(1) }),
    search('two CJK characters, many chats', 'manyChats', { query: wordOf(700, 2) }),
    search('common word by relevance, many chats', 'manyChats', {
      query: wordOf(COMMON, 0),
      order: 'relevance',
    }),
  ];
}

function searchCasesInGroup(groupId: number): Case[] {
  const year = 365 * 24 * 3600_000;
  return [
    search('rare word, large group', 'behind', { groupId, query: wordOf(RARE, 0) }),
    search('common word, large group', 'behind', { groupId, query: wordOf(COMMON, 0) }),
    search('unknown word, large group', 'behind', { groupId, query: 'xylophone' }),
    search('common word by relevance, large group', 'behind', {
      groupId,
      query: wordOf(COMMON, 0),
      order: 'relevance',
    }),
    search('part of a word, large group', 'behind', { groupId, query: wordOf(RARE, 0).slice(1) }),
    search('part of a word in Cyrillic, large group', 'behind', { groupId, query: wordOf(RARE, 1).slice(1) }),
    search('two CJK characters, large group', 'behind', { groupId, query: wordOf(700, 2) }),
    search('one letter, large group', 'behind', { groupId, query: 'z' }),
    search('without a word, large group', 'behind', { groupId, query: `-${wordOf(COMMON, 0)}` }),
    search('phrase, large group', 'behind', {
      groupId,
      query: `"${wordOf(COMMON, 0)} ${wordOf(COMMON + 1, 0)}"`,
    }),
    search('common word in a week of long ago, large group', 'behind', {
      ...{ groupId, query: wordOf(COMMON, 0) },
      ...{
        from: new Date(Date.now() - year).toISOString(),
        to: new Date(Date.now() - year + 7 * 24 * 3600_000).toISOString(),
      },
    }),
    search('common word by one person, large group', 'behind', {
      groupId,
      query: wordOf(COMMON, 0),
      senderId: 50,
    }),
    search('common word with a mention, large group', 'behind', {
      groupId,
      query: wordOf(COMMON, 0),
      hasMention: true,
    }),
    search('common word with unknown custom data, large group', 'behind', {
      groupId,
      query: wordOf(COMMON, 0),
      custom: { a: 1 },
    }),
  ];
}

/** Returns the cases of writing commands, in the large group where possible. */
export async function writingCases(db: Client): Promise<Case[]> {
  const { largeGroup: groupId, messages, members } = await readSizes(db);
  const { rows } = await db.query<{ id: number }>(
    `select id::int from messages
     where chat_id = $1 and seq between $2::bigint / 2 and $2::bigint / 2 + 400 and deleted_at is null and kind = 'text'
     order by seq`,
    [groupId, messages],
  );
  const target = (n: number) => rows[n]?.id;
  /** A member of the large group, which is full. */
  const somebody = (n: number) => members - n;
  return [
    caseOf('write in a dialog', 'ordinary', 'privateMessage', () => ({ receiverId: 21, content: 'Hello' })),
    caseOf('write in the large group', 'owner', 'messageInGroup', () => ({
      groupId,
      content: 'Hello everybody',
    })),
    caseOf('mark as read, 300,000 behind', 'behind', 'markRead', (n) => ({
      groupId,
      seq: Math.floor(messages * 0.7) + 1 + n,
    })),
    caseOf('mark as read', 'ordinary', 'markRead', () => ({ groupId, seq: messages })),
    caseOf('react', 'ordinary', 'addReaction', (n) => ({ messageId: target(n), emoji: '🎉' })),
    caseOf('take a reaction back', 'ordinary', 'removeReaction', (n) => ({
      messageId: target(n),
      emoji: '🎉',
    })),
    caseOf('pin a message', 'owner', 'pinMessage', (n) => ({ messageId: target(n) })),
    caseOf('delete a message', 'owner', 'deleteMessage', (n) => ({ messageId: target(n) })),
    caseOf('promote a member', 'owner', 'setMemberRole', (n) => ({
      ...{ groupId, userId: somebody(n), role: 'admin' },
    })),
    caseOf('remove a member', 'owner', 'removeUserFromGroup', (n) => ({ groupId, userId: somebody(n) })),
    caseOf('add a member', 'owner', 'addUserInGroup', (n) => ({ groupId, userId: somebody(n) })),
    caseOf('change the group', 'owner', 'updateGroup', (n) => ({
      groupId,
      description: `Number ${n}, for ${members}`,
    })),
    caseOf('make a group', 'ordinary', 'newGroup', (n) => ({ groupName: `New ${n}`, userIds: [21, 22, 23] })),
    caseOf('mute a chat', 'behind', 'muteChat', () => ({ groupId, muted: true })),
    caseOf('block a user', 'ordinary', 'blockUser', (n) => ({ userId: 1000 + n })),
    caseOf('another display name', 'manyChats', 'updateProfile', (n) => ({ displayName: `Another ${n}` })),
  ];
}
