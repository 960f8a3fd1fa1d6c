import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { registry } from '../src/commands/registry.ts';
import { readConfig } from '../src/config.ts';
import { type Examples, messageNames, type RecordedCall, UNREADABLE } from '../src/docs/examples.ts';
import { startServer } from '../src/server.ts';

type Name = 'Ada' | 'Grace' | 'Linus';

/** A request as a person writes it, or a frame that is none. */
type Line = { readonly type: string; readonly params?: object } | string;

interface Frame {
  readonly type: string;
  readonly id?: unknown;
  readonly error?: true;
  readonly params?: { readonly data?: { readonly code?: string; readonly length?: number } | null };
}

/** Stands for the code of the invite that was made last. */
const INVITE = 'the code';
/** Finds the newest message that has a word to be searched for: once that one is indexed, so are those before it. */
const NEWEST = { type: 'searchMessages', params: { receiverId: 2, query: 'rope' }, id: 0 };
/** Milliseconds between two looks for it. */
const PAUSE = 100;

/** Who sends what. On a fresh database Ada is user 1, Grace 2, Linus 3, and the group is chat 1. */
const CONVERSATION: readonly (readonly [Name, Line])[] = [
  ['Ada', { type: 'newGroup', params: { groupName: 'Climbers' } }],
  ['Ada', { type: 'newGroup', params: {} }],
  ['Ada', { type: 'addUserInGroup', params: { groupId: 1, userId: 2 } }],
  ['Ada', { type: 'addUserInGroup', params: { groupId: 1, userId: 2 } }],
  ['Ada', { type: 'addUserInGroup', params: { groupId: 1, userId: 99 } }],
  ['Grace', messageOnce('messageInGroup', { groupId: 1, content: 'Shall we meet at six?' })],
  ['Grace', messageOnce('messageInGroup', { groupId: 1, content: 'Shall we meet at six?' })],
  ['Linus', { type: 'messageInGroup', params: { groupId: 1, content: 'Hello?' } }],
  ['Ada', { type: 'privateMessage', params: { receiverId: 2, content: 'Hi Grace 👋' } }],
  ['Grace', { type: 'privateMessage', params: { receiverId: 1, content: 'Hi Ada' } }],
  ['Grace', messageOnce('privateMessage', { receiverId: 1, content: 'Shall we meet at six?' })],
  ['Ada', { type: 'privateMessage', params: { receiverId: 99, content: 'Anybody there?' } }],
  ['Ada', { type: 'listLastMessage', params: { limit: 20, page: 1 } }],
  ['Ada', { type: 'listLastMessage', params: { limit: 1000 } }],
  ['Ada', { type: 'getChat', params: { receiverId: 2 } }],
  ['Linus', { type: 'getChat', params: { groupId: 1 } }],
  ['Ada', { type: 'getlatestMessageDialog', params: { receiverId: 2, limit: 2, page: 1 } }],
  ['Ada', { type: 'getlatestMessageDialog', params: { receiverId: '2' } }],
  ['Ada', { type: 'getlatestMessageGroup', params: { groupId: 1, limit: 2, page: 1 } }],
  ['Linus', { type: 'getlatestMessageGroup', params: { groupId: 1 } }],
  ['Grace', { type: 'leaveGroup', params: { groupId: 1 } }],
  ['Grace', { type: 'leaveGroup', params: { groupId: 1 } }],
  ['Ada', { type: 'addUserInGroup', params: { groupId: 1, userId: 2 } }],
  [
    'Ada',
    {
      type: 'messageInGroup',
      params: { groupId: 1, content: 'Who brings the rope, @Grace?', custom: { place: 'hut' } },
    },
  ],
  ['Grace', { type: 'messageInGroup', params: { groupId: 1, content: 'I do', replyTo: 8, silent: true } }],
  ['Ada', { type: 'getMessages', params: { groupId: 1, afterSeq: 4 } }],
  ['Ada', { type: 'getMessagesAround', params: { messageId: 8, limit: 3 } }],
  ['Ada', { type: 'getMessage', params: { messageId: 8 } }],
  ['Linus', { type: 'getMessage', params: { messageId: 8 } }],
  ['Ada', { type: 'getThread', params: { messageId: 8 } }],
  ['Ada', { type: 'editMessage', params: { messageId: 8, content: 'Who brings the ropes, @Grace?' } }],
  ['Ada', { type: 'listEdits', params: { messageId: 8 } }],
  ['Grace', { type: 'addReaction', params: { messageId: 8, emoji: '👍' } }],
  ['Grace', { type: 'addReaction', params: { messageId: 8, emoji: 'thumbs up' } }],
  ['Grace', { type: 'removeReaction', params: { messageId: 8, emoji: '👍' } }],
  ['Ada', { type: 'pinMessage', params: { messageId: 8 } }],
  ['Grace', { type: 'unpinMessage', params: { messageId: 8 } }],
  ['Ada', { type: 'listPins', params: { groupId: 1 } }],
  ['Ada', { type: 'unpinMessage', params: { messageId: 8 } }],
  ['Ada', { type: 'forwardMessage', params: { messageId: 8, receiverId: 2 } }],
  ['Grace', { type: 'deleteMessage', params: { messageId: 9 } }],
  ['Grace', { type: 'deleteMessage', params: { messageId: 8 } }],
  ['Grace', { type: 'reportMessage', params: { messageId: 8, reason: 'spam' } }],
  ['Ada', { type: 'sendEvent', params: { groupId: 1, event: 'poll', custom: { votes: 3 } } }],
  ['Grace', { type: 'markDelivered', params: { receiverId: 1, seq: 3 } }],
  ['Grace', { type: 'markRead', params: { receiverId: 1, seq: 3 } }],
  ['Ada', { type: 'getReceipts', params: { messageId: 8 } }],
  ['Ada', { type: 'markUnread', params: { groupId: 1 } }],
  ['Ada', { type: 'muteChat', params: { groupId: 1, muted: true } }],
  ['Ada', { type: 'archiveChat', params: { groupId: 1, archived: true } }],
  ['Ada', { type: 'pinChat', params: { groupId: 1, pinned: true } }],
  ['Ada', { type: 'typing', params: { receiverId: 2, typing: true } }],
  ['Ada', { type: 'searchMessages', params: { query: 'rope' } }],
  ['Ada', { type: 'sync', params: { limit: 3 } }],
  ['Ada', { type: 'getGroup', params: { groupId: 1 } }],
  ['Linus', { type: 'getGroup', params: { groupId: 1 } }],
  ['Ada', { type: 'updateGroup', params: { groupId: 1, isPrivate: false, description: 'Every Sunday' } }],
  ['Grace', { type: 'updateGroup', params: { groupId: 1, isPrivate: true } }],
  ['Linus', { type: 'listGroups', params: { query: 'climb' } }],
  ['Linus', { type: 'joinGroup', params: { groupId: 1 } }],
  ['Ada', { type: 'listGroupMembers', params: { groupId: 1 } }],
  ['Ada', { type: 'setMemberRole', params: { groupId: 1, userId: 2, role: 'admin' } }],
  ['Ada', { type: 'transferOwnership', params: { groupId: 1, userId: 2 } }],
  ['Grace', { type: 'removeUserFromGroup', params: { groupId: 1, userId: 3 } }],
  ['Grace', { type: 'banUser', params: { groupId: 1, userId: 3, reason: 'spam' } }],
  ['Linus', { type: 'joinGroup', params: { groupId: 1 } }],
  ['Grace', { type: 'unbanUser', params: { groupId: 1, userId: 3 } }],
  ['Grace', { type: 'createInvite', params: { groupId: 1, maxUses: 1 } }],
  ['Grace', { type: 'listInvites', params: { groupId: 1 } }],
  ['Linus', { type: 'joinByInvite', params: { code: INVITE } }],
  ['Linus', { type: 'joinByInvite', params: { code: 'nothing' } }],
  ['Grace', { type: 'revokeInvite', params: { groupId: 1, inviteId: 1 } }],
  ['Ada', { type: 'deleteGroup', params: { groupId: 1 } }],
  ['Grace', { type: 'deleteGroup', params: { groupId: 1 } }],
  ['Ada', { type: 'getProfile' }],
  ['Ada', { type: 'updateProfile', params: { displayName: 'Ada Lovelace', about: 'Countess of computing' } }],
  ['Grace', { type: 'searchUsers', params: { query: 'ada' } }],
  ['Grace', { type: 'listUsers', params: { limit: 2 } }],
  ['Ada', { type: 'blockUser', params: { userId: 3 } }],
  ['Linus', { type: 'privateMessage', params: { receiverId: 1, content: 'Hello?' } }],
  ['Ada', { type: 'listBlockedUsers' }],
  ['Ada', { type: 'unblockUser', params: { userId: 3 } }],
  ['Ada', { type: 'getPresence', params: { userIds: [2, 3] } }],
  ['Ada', { type: 'subscribePresence', params: { userIds: [2] } }],
  ['Grace', { type: 'setPresence', params: { invisible: true } }],
  ['Ada', { type: 'setPresence', params: { invisible: true } }],
  ['Ada', { type: 'unsubscribePresence' }],
  ['Ada', { type: 'listSessions' }],
  ['Ada', { type: 'endSession', params: { sessionId: 99 } }],
  ['Ada', { type: 'endSession', params: { sessionId: 4 } }],
  ['Ada', { type: 'endOtherSessions' }],
  ['Ada', { type: 'ping' }],
  ['Linus', { type: 'dance' }],
  ['Linus', 'hello'],
];

function messageOnce(type: string, params: object): Line {
  return { type, params: { ...params, clientMessageId: '5f0c7a52' } };
}

/** Plays a small conversation against a real server of its own and returns its traffic, times made equal. */
export async function recordExamples(): Promise<Examples> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-docs-'));
  const config = readConfig({ HOST: '127.0.0.1', PORT: '0', DATA_DIR: folder, RATE_LIMITS: 'off' });
  const server = await startServer(config, pino({ level: 'warn' }));
  try {
    return await play(server.port);
  } finally {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function play(port: number): Promise<Examples> {
  const { calls, call } = recordingCalls(`http://127.0.0.1:${port}`);
  const password = 'correct horse';
  const register = (username: Name) =>
    call('POST', '/auth/register', { email: `${username.toLowerCase()}@example.com`, username, password });
  const ada = await register('Ada');
  const grace = await register('Grace');
  const linus = await register('Linus');
  await register('Ada');
  await call('POST', '/auth/register', { email: 'ada@example.com', username: 'Ada', password: 'horse' });
  const adaAgain = await call('POST', '/auth/login', { username: 'Ada', password });
  await call('POST', '/auth/login', { email: 'ada@example.com', password });
  await call('POST', '/auth/login', { username: 'Ada', password: 'wrong horse' });

  const frames = await recordFrames(port, { Ada: ada, Grace: grace, Linus: linus }, adaAgain);

  await call('PATCH', '/users/me', { username: 'Linus_T' }, linus);
  await call('PATCH', '/users/me', { username: 'Grace' }, linus);
  await call('PATCH', '/users/me', { password: 'battery staple' }, linus);
  await call('PATCH', '/users/me', { password: 'battery staple', currentPassword: 'wrong horse' }, linus);
  const renewed = { password: 'battery staple', currentPassword: password };
  const token = await call('PATCH', '/users/me', renewed, linus);
  await call('PATCH', '/users/me', { username: 'Linus' }, linus);
  await call('DELETE', '/users/me', { password: 'wrong horse' }, token);
  await call('DELETE', '/users/me', { password: 'battery staple' }, token);
  await call('DELETE', '/users/me', { password: 'battery staple' }, token);
  await call('GET', '/health/live', null);
  await call('GET', '/health/ready', null);
  return { frames, calls };
}

/** HTTP calls of which one of each kind is kept; `call` resolves to the token in the answer, if any. */
function recordingCalls(url: string) {
  const calls: Record<string, RecordedCall[]> = {};

  async function call(method: string, path: string, body: object | null, token = ''): Promise<string> {
    const response = await fetch(url + path, {
      method,
      headers: { ...(token && { authorization: `Bearer ${token}` }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = (await response.text()) || 'null';
    const recorded = { body, status: response.status, answer: JSON.parse(text, steady) };
    const known = calls[`${method} ${path}`] ?? [];
    calls[`${method} ${path}`] = known;
    if (!known.some((other) => kindOf(other) === kindOf(recorded))) known.push(recorded);
    return JSON.parse(text)?.token ?? '';
  }

  return { calls, call };
}

function kindOf({ body, status }: RecordedCall): string {
  return status < 300 ? Object.keys(body ?? {}).join() : String(status);
}

/** The frames of the conversation by message. Ada has a second connection, which is pushed what she does. */
async function recordFrames(port: number, tokens: Record<Name, string>, second: string) {
  const frames: Record<string, object[]> = {};
  let isRecording = true;
  const keep = (name: string, frame: object) => {
    const known = frames[name] ?? [];
    frames[name] = known;
    if (!known.some((other) => JSON.stringify(other) === JSON.stringify(frame))) known.push(frame);
  };
  const enter = async (token: string) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/?device=laptop`, ['auth', token]);
    socket.on('message', (data) => {
      const frame: Frame = JSON.parse(String(data), steady);
      if (isRecording) keep(nameOf(frame), frame);
    });
    await once(socket, 'open');
    return socket;
  };
  const people = {
    Ada: await enter(tokens.Ada),
    Grace: await enter(tokens.Grace),
    Linus: await enter(tokens.Linus),
  };
  const sockets = [...Object.values(people), await enter(second)];
  let invite = '';

  const indexed = async () => {
    isRecording = false;
    while (!(await ask(people.Ada, JSON.stringify(NEWEST))).params?.data?.length) await delay(PAUSE);
    isRecording = true;
  };
  const say = async (name: Name, line: Line, id: number) => {
    const request = typeof line === 'string' ? line : { ...line, id };
    if (typeof request !== 'string' && request.type === 'searchMessages') await indexed();
    const text = typeof request === 'string' ? request : JSON.stringify(request).replace(INVITE, invite);
    const reply = await ask(people[name], text);
    if (reply.type === 'createInvite') invite = reply.params?.data?.code ?? invite;
    if (typeof request !== 'string' && !reply.error) keep(messageNames(request.type).request, request);
    await Promise.all(sockets.filter(({ readyState }) => readyState === WebSocket.OPEN).map(settled));
  };
  for (const [index, [name, line]] of CONVERSATION.entries()) await say(name, line, index + 1);
  for (const type of registry.keys())
    if (!frames[messageNames(type).error]) await say('Linus', { type, params: { dance: true } }, 1000);
  for (const socket of sockets) socket.terminate();
  return Object.fromEntries(Object.entries(frames).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Sends a frame and resolves to its reply or error, which is no push: nobody else is talking. */
async function ask(socket: WebSocket, text: string): Promise<Frame> {
  socket.send(text);
  for (;;) {
    const [data] = await once(socket, 'message');
    const frame: Frame = JSON.parse(String(data));
    if (frame.error || 'id' in frame) return frame;
  }
}

/**
 * Resolves when the pushes that were on their way have come: a pong keeps its place among the frames. Where the
 * connection was ended, none comes, and nothing after the close.
 */
function settled(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      socket.off('pong', end).off('close', end);
      resolve();
    };
    socket.on('pong', end).on('close', end).ping();
  });
}

function nameOf(frame: Frame): string {
  if (!registry.has(frame.type)) return UNREADABLE;
  const names = messageNames(frame.type);
  if (frame.error) return names.error;
  return 'id' in frame ? names.reply : names.push;
}

/** Replaces what differs between two recordings. */
function steady(key: string, value: unknown): unknown {
  if (key === 'token') return 'eyJhbGciOiJIUzI1NiIs…';
  if ((key === 'nextCursor' && value) || (key === 'code' && /^[\w-]{22}$/.test(String(value))))
    return 'WyI3NTc…';
  return typeof value === 'string' && /(At|_at|Until)$|^time$/.test(key) ? '2026-01-01T12:00:00.000Z' : value;
}
