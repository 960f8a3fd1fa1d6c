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

/** Numbers of a common word, and of a word in one of a hundred thousand messages. */
const [COMMON, RARE] = [3, 31_000];

const search = (name: string, user: Case['user'], params: object): Case => ({
  name: `search: ${name}`,
  user,
  type: 'searchMessages',
  params: () => ({ limit: 20, ...params }),
});

/** Returns the cases of read commands on the generated data. */
export async function readingCases(db: Client): Promise<Case[]> {
  const {
    rows: [found],
  } = await db.query<Sizes>(sizes);
  if (!found) throw new Error('the data is missing');
  const { largeGroup: groupId, messages, longDialog, users } = found;
  const inGroup = { groupId };
  const receiverId = CASE.longDialogOther;
  const idAt = async (seq: number) => {
    const { rows } = await db.query<{ id: number }>(
      'select id::int from messages where chat_id = $1 and seq = $2',
      [groupId, seq],
    );
    return rows[0]?.id;
  };
  const middle = await idAt(Math.floor(messages / 2));
  const newest = await idAt(messages);
  const read = (name: string, user: Case['user'], type: string, params: Case['params']): Case => ({
    name,
    user,
    type,
    params,
  });
  const year = 365 * 24 * 3600_000;
  return [
    read('list of 20 chats', 'ordinary', 'listLastMessage', () => ({ limit: 20 })),
    read('list of many chats, first page', 'manyChats', 'listLastMessage', () => ({ limit: 100 })),
    read('list of many chats, any page', 'manyChats', 'listLastMessage', (n) => ({
      limit: 100,
      page: 1 + ((n * 37) % 100),
    })),
    read('list with 300,000 unread', 'behind', 'listLastMessage', () => ({ limit: 20 })),
    read('large group, 300,000 unread', 'behind', 'getChat', () => inGroup),
    read('groups of who is in many', 'manyChats', 'listGroups', () => ({ limit: 100 })),
    read('public groups by a part of the name', 'ordinary', 'listGroups', () => ({
      query: 'anybody',
      limit: 100,
    })),
    read('history: large group, first page', 'ordinary', 'getlatestMessageGroup', () => ({
      groupId,
      limit: 100,
    })),
    read('history: large group, any page', 'ordinary', 'getlatestMessageGroup', (n) => ({
      groupId,
      limit: 100,
      page: 1 + ((n * 7919) % Math.floor(messages / 100)),
    })),
    read('history: long dialog, any page', 'longDialog', 'getlatestMessageDialog', (n) => ({
      receiverId,
      limit: 100,
      page: 1 + ((n * 7919) % Math.floor(longDialog / 100)),
    })),
    read('history: by seq', 'ordinary', 'getMessages', (n) => ({
      groupId,
      afterSeq: (n * 7919) % (messages - 200),
      limit: 100,
    })),
    read('history: around a message', 'ordinary', 'getMessagesAround', () => ({
      messageId: middle,
      limit: 50,
    })),
    read('thread', 'ordinary', 'getThread', () => ({ messageId: middle })),
    read('pins', 'ordinary', 'listPins', () => inGroup),
    read('receipts of a message', 'owner', 'getReceipts', () => ({ messageId: newest, limit: 100 })),
    read('members: first page', 'ordinary', 'listGroupMembers', () => ({ groupId, limit: 100 })),
    read('profile', 'ordinary', 'getProfile', (n) => ({ userId: 1 + ((n * 7919) % users) })),
    read('presence of 100, one with many sessions', 'ordinary', 'getPresence', () => ({
      userIds: [CASE.manySessions, ...Array.from({ length: 99 }, (_, n) => 100 + n * 17)],
    })),
    read('live sessions, many ended', 'manySessions', 'listSessions', () => ({ live: true })),
    read('sessions, many ended', 'manySessions', 'listSessions', () => ({ limit: 100 })),
    read('users', 'ordinary', 'listUsers', () => ({ limit: 100 })),
    read('users by one letter', 'ordinary', 'searchUsers', () => ({ query: 'a', limit: 100 })),
    read('users by what only the newest have', 'ordinary', 'searchUsers', () => ({
      query: NEWEST_NAMES,
      limit: 100,
    })),
    read('users by an unknown name', 'ordinary', 'searchUsers', () => ({ query: 'nobody', limit: 100 })),
    read('users by the name of one', 'ordinary', 'searchUsers', (n) => ({
      query: `person ${users - n}`,
      limit: 100,
    })),
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
    search('rare word, long dialog', 'longDialog', { receiverId, query: wordOf(RARE, 0) }),
    search('common word, long dialog', 'longDialog', { receiverId, query: wordOf(COMMON, 0) }),
    search('part of a word, long dialog', 'longDialog', { receiverId, query: wordOf(RARE, 0).slice(1) }),
  ];
}

/** Returns the cases of writing commands, in the large group where possible. */
export async function writingCases(db: Client): Promise<Case[]> {
  const {
    rows: [found],
  } = await db.query<Sizes>(sizes);
  if (!found) throw new Error('the data is missing');
  const { largeGroup: groupId, messages, members } = found;
  const { rows } = await db.query<{ id: number }>(
    `select id::int from messages
     where chat_id = $1 and seq between $2::bigint / 2 and $2::bigint / 2 + 400 and deleted_at is null and kind = 'text'
     order by seq`,
    [groupId, messages],
  );
  const target = (n: number) => rows[n]?.id;
  /** A member of the large group, which is full. */
  const somebody = (n: number) => members - n;
  const write = (name: string, user: Case['user'], type: string, params: Case['params']): Case => ({
    name,
    user,
    type,
    params,
  });
  return [
    write('write in a dialog', 'ordinary', 'privateMessage', () => ({ receiverId: 21, content: 'Hello' })),
    write('write in the large group', 'owner', 'messageInGroup', () => ({
      groupId,
      content: 'Hello everybody',
    })),
    write('mark as read, 300,000 behind', 'behind', 'markRead', (n) => ({
      groupId,
      seq: Math.floor(messages * 0.7) + 1 + n,
    })),
    write('mark as read', 'ordinary', 'markRead', () => ({ groupId, seq: messages })),
    write('react', 'ordinary', 'addReaction', (n) => ({ messageId: target(n), emoji: '🎉' })),
    write('take a reaction back', 'ordinary', 'removeReaction', (n) => ({
      messageId: target(n),
      emoji: '🎉',
    })),
    write('pin a message', 'owner', 'pinMessage', (n) => ({ messageId: target(n) })),
    write('delete a message', 'owner', 'deleteMessage', (n) => ({ messageId: target(n) })),
    write('promote a member', 'owner', 'setMemberRole', (n) => ({
      ...{ groupId, userId: somebody(n), role: 'admin' },
    })),
    write('remove a member', 'owner', 'removeUserFromGroup', (n) => ({ groupId, userId: somebody(n) })),
    write('add a member', 'owner', 'addUserInGroup', (n) => ({ groupId, userId: somebody(n) })),
    write('change the group', 'owner', 'updateGroup', (n) => ({
      groupId,
      description: `Number ${n}, for ${members}`,
    })),
    write('make a group', 'ordinary', 'newGroup', (n) => ({ groupName: `New ${n}`, userIds: [21, 22, 23] })),
    write('mute a chat', 'behind', 'muteChat', () => ({ groupId, muted: true })),
    write('block a user', 'ordinary', 'blockUser', (n) => ({ userId: 1000 + n })),
    write('another display name', 'manyChats', 'updateProfile', (n) => ({ displayName: `Another ${n}` })),
  ];
}
