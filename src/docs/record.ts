import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { readConfig } from '../config.ts';
import { startServer } from '../server.ts';
import { type Examples, messageNames, UNREADABLE } from './examples.ts';

type Name = 'Ada' | 'Grace' | 'Linus';
interface Frame {
  readonly type: string;
  readonly id?: unknown;
  readonly error?: true;
  readonly code?: string;
}

/** Who asks for what. On a fresh database Ada is user 1, Grace 2, Linus 3, and the group is chat 1. */
const CONVERSATION: readonly [name: Name, type: string, params?: object][] = [
  ['Ada', 'newGroup', { groupName: 'Climbers' }],
  ['Ada', 'newGroup', {}],
  ['Ada', 'addUserInGroup', { groupId: 1, userId: 2 }],
  ['Ada', 'addUserInGroup', { groupId: 1, userId: 2 }],
  ['Grace', 'messageInGroup', { groupId: 1, content: 'Shall we meet at six?', clientMessageId: 'b5f7c1de' }],
  ['Linus', 'messageInGroup', { groupId: 1, content: 'Hello?' }],
  ['Ada', 'privateMessage', { receiverId: 2, content: 'Hi Grace 👋' }],
  ['Grace', 'privateMessage', { receiverId: 1, content: 'Hi Ada', clientMessageId: 'b5f7c1df' }],
  ['Ada', 'privateMessage', { receiverId: 99, content: 'Anybody there?' }],
  ['Ada', 'listLastMessage', { limit: 20, page: 1 }],
  ['Ada', 'listLastMessage', { limit: 1000 }],
  ['Ada', 'getlatestMessageDialog', { receiverId: 2, limit: 2 }],
  ['Ada', 'getlatestMessageDialog', { receiverId: '2' }],
  ['Ada', 'getlatestMessageGroup', { groupId: 1, limit: 2, page: 1 }],
  ['Linus', 'getlatestMessageGroup', { groupId: 1 }],
  ['Grace', 'leaveGroup', { groupId: 1 }],
  ['Grace', 'leaveGroup', { groupId: 1 }],
  ['Linus', 'dance'],
];

/** Plays a small conversation against a real server of its own and returns its frames, times made equal. */
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
  const examples: Record<string, object[]> = {};
  const keep = (name: string, frame: object) => {
    const known = examples[name] ?? [];
    examples[name] = known;
    if (!known.some((other) => JSON.stringify(other) === JSON.stringify(frame))) known.push(frame);
  };

  const people = new Map<Name, WebSocket>();
  for (const name of ['Ada', 'Grace', 'Linus'] as const) {
    const socket = await enter(port, name);
    socket.on('message', (data) => {
      const frame: Frame = JSON.parse(String(data), steady);
      keep(nameOf(frame), frame);
    });
    people.set(name, socket);
  }

  // Ada has a second connection, which gets the pushes of her own doings.
  const second = await enter(port, 'Ada', 'login');
  second.on('message', (data) => {
    const frame: Frame = JSON.parse(String(data), steady);
    if (frame.type === 'newGroup') keep(nameOf(frame), frame);
  });

  for (const [index, [name, type, params]] of CONVERSATION.entries()) {
    const request = { type, ...(params && { params }), id: index + 1 };
    const reply = await ask(people.get(name) as WebSocket, request);
    if (!/BAD_REQUEST|UNKNOWN_TYPE/.test(reply.code ?? '')) keep(messageNames(type).request, request);
    await Promise.all([...people.values(), second].map(settled));
  }
  for (const socket of [...people.values(), second]) socket.terminate();
  return examples;
}

async function enter(
  port: number,
  username: Name,
  call: 'register' | 'login' = 'register',
): Promise<WebSocket> {
  const email = `${username.toLowerCase()}@example.com`;
  const body = JSON.stringify({ ...(call === 'register' && { email }), username, password: 'correct horse' });
  const answer = await fetch(`http://127.0.0.1:${port}/auth/${call}`, { method: 'POST', body });
  const { token } = (await answer.json()) as { token: string };
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { headers: { authorization: `Bearer ${token}` } });
  await once(socket, 'open');
  return socket;
}

/** Sends a request and resolves to its reply. */
function ask(socket: WebSocket, request: { id: number }): Promise<Frame> {
  return new Promise((resolve) => {
    const listen = (data: WebSocket.RawData) => {
      const frame: Frame = JSON.parse(String(data));
      if (frame.id !== request.id) return;
      socket.off('message', listen);
      resolve(frame);
    };
    socket.on('message', listen);
    socket.send(JSON.stringify(request));
  });
}

/** Resolves when the pushes that were on their way have come: a pong keeps its place among the frames. */
async function settled(socket: WebSocket): Promise<void> {
  socket.ping();
  await once(socket, 'pong');
}

function nameOf(frame: Frame): string {
  const names = messageNames(frame.type);
  if (frame.error) return frame.type === 'dance' ? UNREADABLE : names.error;
  return 'id' in frame ? names.reply : names.push;
}

/** Replaces what differs between two recordings. */
function steady(key: string, value: unknown): unknown {
  return /^(createdAt|updatedAt|created_at|updated_at)$/.test(key) ? '2026-01-01T12:00:00.000Z' : value;
}
