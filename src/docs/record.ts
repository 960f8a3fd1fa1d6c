import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { registry } from '../commands/registry.ts';
import { readConfig } from '../config.ts';
import { startServer } from '../server.ts';
import { type Examples, messageNames, type RecordedCall, UNREADABLE } from './examples.ts';

type Name = 'Ada' | 'Grace' | 'Linus';

/** A request as a person writes it, or a frame that is none. */
type Line = { readonly type: string; readonly params?: object } | string;

interface Frame {
  readonly type: string;
  readonly id?: unknown;
  readonly error?: true;
}

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
  ['Ada', { type: 'getlatestMessageDialog', params: { receiverId: 2, limit: 2, page: 1 } }],
  ['Ada', { type: 'getlatestMessageDialog', params: { receiverId: '2' } }],
  ['Ada', { type: 'getlatestMessageGroup', params: { groupId: 1, limit: 2, page: 1 } }],
  ['Linus', { type: 'getlatestMessageGroup', params: { groupId: 1 } }],
  ['Grace', { type: 'leaveGroup', params: { groupId: 1 } }],
  ['Grace', { type: 'leaveGroup', params: { groupId: 1 } }],
  ['Linus', { type: 'dance' }],
  ['Linus', 'hello'],
];

function messageOnce(type: string, params: object): Line {
  return { type, params: { ...params, clientMessageId: '5f0c7a52' } };
}

/** Plays a small conversation against a real server of its own and returns its traffic, times made equal. */
export async function recordExamples(): Promise<Examples> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-docs-'));
  const config = readConfig({ HOST: '127.0.0.1', PORT: '0', DATA_DIR: folder });
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
  const keep = (name: string, frame: object) => {
    const known = frames[name] ?? [];
    frames[name] = known;
    if (!known.some((other) => JSON.stringify(other) === JSON.stringify(frame))) known.push(frame);
  };
  const enter = async (token: string) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, ['auth', token]);
    socket.on('message', (data) => {
      const frame: Frame = JSON.parse(String(data), steady);
      keep(nameOf(frame), frame);
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

  for (const [index, [name, line]] of CONVERSATION.entries()) {
    const request = typeof line === 'string' ? line : { ...line, id: index + 1 };
    const reply = await ask(people[name], typeof request === 'string' ? request : JSON.stringify(request));
    if (typeof request !== 'string' && !reply.error) keep(messageNames(request.type).request, request);
    await Promise.all(sockets.map(settled));
  }
  for (const socket of sockets) socket.terminate();
  return Object.fromEntries(Object.entries(frames).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Sends a frame and resolves to the next one that comes, which is its reply: nobody else is talking. */
async function ask(socket: WebSocket, frame: string): Promise<Frame> {
  socket.send(frame);
  const [data] = await once(socket, 'message');
  return JSON.parse(String(data));
}

/** Resolves when the pushes that were on their way have come: a pong keeps its place among the frames. */
async function settled(socket: WebSocket): Promise<void> {
  socket.ping();
  await once(socket, 'pong');
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
  return /^(createdAt|updatedAt|created_at|updated_at)$/.test(key) ? '2026-01-01T12:00:00.000Z' : value;
}
