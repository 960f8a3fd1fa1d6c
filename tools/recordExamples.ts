import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { SCOPES, type Scope } from '../src/auth/apiKeys.ts';
import { createKey } from '../src/auth/serviceKeys.ts';
import { registry } from '../src/commands/registry.ts';
import { readConfig } from '../src/config.ts';
import { openDatabaseForOperator } from '../src/database/start.ts';
import { type Examples, messageNames, type RecordedCall, UNREADABLE } from '../src/docs/examples.ts';
import { startServer } from '../src/server.ts';
import { CONVERSATION, type Keep, type Line, type Name, NOBODY, SEARCHED } from './conversation.ts';
import { recordServiceExamples } from './recordServiceExamples.ts';

interface Frame {
  readonly type: string;
  readonly id?: unknown;
  readonly error?: true;
  readonly params?: { readonly data?: { readonly length?: number } | null };
}

/** Milliseconds between two checks whether a message is indexed. */
const PAUSE = 100;

/** Runs a small conversation on a server of its own and returns its traffic with constant times. */
export async function recordExamples(): Promise<Examples> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-docs-'));
  const config = readConfig({ HOST: '127.0.0.1', PORT: '0', DATA_DIR: folder, RATE_LIMITS: 'off' });
  const log = pino({ level: 'warn' });
  const server = await startServer(config, log);
  try {
    const db = await openDatabaseForOperator(config, log);
    const { key } = await createKey(db, 'orders', Object.keys(SCOPES) as Scope[]).finally(() => db.close());
    const examples = await play(server.port);
    return { ...examples, services: await recordServiceExamples(server.port, key, steady) };
  } finally {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function play(port: number): Promise<Omit<Examples, 'services'>> {
  const { calls, call } = recordingCalls(`http://127.0.0.1:${port}`);
  const password = 'correct horse';
  const register = (username: Name) =>
    call('POST', '/auth/register', { email: `${username.toLowerCase()}@example.com`, username, password });
  const ada = await register('Ada');
  const grace = await register('Grace');
  const linus = await register('Linus');
  await register('Ada');
  await call('POST', '/auth/register', { email: 'ada@example.com', username: 'Ada', password: 'horse' });
  const { token: second } = await call('POST', '/auth/login', { username: 'Ada', password });
  await call('POST', '/auth/login', { email: 'ada@example.com', password });
  await call('POST', '/auth/login', { username: 'Ada', password: 'wrong horse' });

  const frames = await recordFrames(port, { Ada: ada, Grace: grace, Linus: linus }, second);

  await call('PATCH', '/users/me', { username: 'Linus_T' }, linus.token);
  await call('PATCH', '/users/me', { username: 'Grace' }, linus.token);
  await call('PATCH', '/users/me', { password: 'battery staple' }, linus.token);
  await call(
    'PATCH',
    '/users/me',
    { password: 'battery staple', currentPassword: 'wrong horse' },
    linus.token,
  );
  const renewed = { password: 'battery staple', currentPassword: password };
  const { token } = await call('PATCH', '/users/me', renewed, linus.token);
  await call('PATCH', '/users/me', { username: 'Linus' }, linus.token);
  await call('DELETE', '/users/me', { password: 'wrong horse' }, token);
  await call('DELETE', '/users/me', { password: 'battery staple' }, token);
  await call('DELETE', '/users/me', { password: 'battery staple' }, token);
  await call('GET', '/health/live', null);
  await call('GET', '/health/ready', null);
  return { frames, calls };
}

/** The answer of a registration or a login. */
interface Login {
  readonly token: string;
  readonly user: { readonly id: number };
}

/** Records HTTP calls, one of each kind; `call` resolves to the answer. */
function recordingCalls(url: string) {
  const calls: Record<string, RecordedCall[]> = {};

  async function call(method: string, path: string, body: object | null, token = ''): Promise<Login> {
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
    return JSON.parse(text);
  }

  return { calls, call };
}

function kindOf({ body, status }: RecordedCall): string {
  return status < 300 ? Object.keys(body ?? {}).join() : String(status);
}

/**
 * Records the frames of the conversation by message. Ada has a second connection, which receives pushes of her own
 * actions.
 */
async function recordFrames(port: number, logins: Record<Name, Login>, second: string) {
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
    Ada: await enter(logins.Ada.token),
    Grace: await enter(logins.Grace.token),
    Linus: await enter(logins.Linus.token),
  };
  const sockets = [...Object.values(people), await enter(second)];
  const known: Record<string, unknown> & Record<Name | 'nobody', number> = {
    Ada: logins.Ada.user.id,
    Grace: logins.Grace.user.id,
    Linus: logins.Linus.user.id,
    nobody: NOBODY,
  };

  /** Resolves when the newest message that the search finds is indexed, and so are those before it. */
  const indexed = async () => {
    isRecording = false;
    const search = { type: 'searchMessages', params: { receiverId: known.Grace, query: SEARCHED }, id: 0 };
    while (!(await ask(people.Ada, JSON.stringify(search))).params?.data?.length) await delay(PAUSE);
    isRecording = true;
  };
  const say = async (name: Name, line: Line, id: number, kept: Keep = {}) => {
    const request = typeof line === 'string' ? line : { ...line, id };
    if (typeof request !== 'string' && request.type === 'searchMessages') await indexed();
    const reply = await ask(people[name], typeof request === 'string' ? request : JSON.stringify(request));
    for (const [property, path] of Object.entries(kept)) known[property] = propertyAt(reply.params, path);
    if (typeof request !== 'string' && !reply.error)
      keep(messageNames(request.type).request, JSON.parse(JSON.stringify(request), steady));
    await Promise.all(sockets.filter(({ readyState }) => readyState === WebSocket.OPEN).map(settled));
  };
  for (const [index, [name, line, kept]] of CONVERSATION.entries())
    await say(name, typeof line === 'function' ? line(known) : line, index + 1, kept);
  for (const type of registry.keys())
    if (!frames[messageNames(type).error]) await say('Linus', { type, params: { dance: true } }, 1000);
  for (const socket of sockets) socket.terminate();
  return Object.fromEntries(Object.entries(frames).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Returns a property of a property …, of a path such as `data.0.sessionId`. */
function propertyAt(value: unknown, path: string): unknown {
  const found = path.split('.').reduce<unknown>((of, name) => Object(of)[name], value);
  if (found === undefined) throw new Error(`a reply has no ${path}`);
  return found;
}

/** Sends a frame and resolves to its reply or error, ignoring pushes. */
async function ask(socket: WebSocket, text: string): Promise<Frame> {
  socket.send(text);
  for (;;) {
    const [data] = await once(socket, 'message');
    const frame: Frame = JSON.parse(String(data));
    if (frame.error || 'id' in frame) return frame;
  }
}

/**
 * Resolves when all pushes sent so far have arrived, because a pong is ordered among the frames; or when the connection
 * is closed.
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

/** Replaces values that differ between two recordings. */
function steady(key: string, value: unknown): unknown {
  if (key === 'token') return 'eyJhbGciOiJIUzI1NiIs…';
  if ((key === 'nextCursor' && value) || (key === 'code' && /^[\w-]{22}$/.test(String(value))))
    return 'WyI3NTc…';
  return typeof value === 'string' && /(At|_at|Until)$|^time$/.test(key) ? '2026-01-01T12:00:00.000Z' : value;
}
