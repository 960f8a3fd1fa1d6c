import { on, once } from 'node:events';
import { WebSocket } from 'ws';
import { serviceRegistry } from '../src/commands/service/registry.ts';
import { type Examples, messageNames } from '../src/docs/examples.ts';

interface Frame {
  readonly type: string;
  readonly id?: unknown;
  readonly error?: true;
  readonly params?: { readonly nextCursor?: string };
}

/** A request without its id, of a service or of a user; `cursor` is that of the last batch of events. */
type Line = (cursor: string | undefined) => { readonly type: string; params: object; as?: object };

const barbara = { externalId: 'u-19' };
const request = (type: string, params: object) => () => ({ type, params });
const CONVERSATION: readonly Line[] = [
  request('upsertUsers', { users: [{ ...barbara, username: 'Barbara', displayName: 'Barbara L.' }] }),
  request('upsertUsers', { users: [{ username: 'Barbara' }] }),
  request('getUsers', { users: [barbara] }),
  request('getUsers', { users: [] }),
  request('createToken', { user: barbara, expiresInSeconds: 3600 }),
  request('createToken', { user: { externalId: 'u-99' } }),
  request('listEvents', { types: ['userCreated'], limit: 1 }),
  request('listEvents', { types: ['typing'] }),
  request('subscribeEvents', { consumer: 'orders', types: ['message'] }),
  request('subscribeEvents', { consumer: 'the orders' }),
  () => ({ type: 'privateMessage', params: { receiverId: 1, content: 'Where is my parcel?' }, as: barbara }),
  (cursor) => ({ type: 'acknowledgeEvents', params: { consumer: 'orders', cursor } }),
  request('acknowledgeEvents', { consumer: 'orders', cursor: 'unknown' }),
  request('ping', {}),
  request('ping', { dance: true }),
  request('revokeTokens', { users: [barbara] }),
  request('revokeTokens', { users: [{ externalId: 'u-99' }] }),
  request('disableUsers', { users: [barbara] }),
  request('disableUsers', { users: [{ externalId: 'u-99' }] }),
  request('deleteUsers', { users: [barbara] }),
  request('deleteUsers', { users: [{ externalId: 'u-99' }] }),
];

/** Runs a small conversation of a backend and returns its traffic by message; `steady` replaces values that differ each time. */
export async function recordServiceExamples(
  port: number,
  key: string,
  steady: (name: string, value: unknown) => unknown,
): Promise<Examples['services']> {
  const frames: Record<string, object[]> = {};
  const keep: Keep = (name, frame) => {
    const withoutCursor = (key: string, value: unknown) =>
      steady(key === 'cursor' && value !== 'unknown' ? 'nextCursor' : key, value);
    frames[name] = [...(frames[name] ?? []), JSON.parse(JSON.stringify(frame), withoutCursor)];
  };
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { headers: { authorization: `Bearer ${key}` } });
  await once(socket, 'open');
  const messages = on(socket, 'message');
  let cursor: string | undefined;
  for (const [index, line] of CONVERSATION.entries()) {
    const sent = { ...line(cursor), id: index + 1 };
    socket.send(JSON.stringify(sent));
    const [reply, push] = await nextFrames(messages, sent.as ? 2 : 1); // a message of a user is pushed as an event
    if (serviceRegistry.has(sent.type)) keepExchange(keep, sent, reply as Frame);
    if (push) keep(messageNames(push.type).push, push);
    cursor = push?.params?.nextCursor ?? cursor;
  }
  socket.terminate();
  return Object.fromEntries(Object.entries(frames).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Resolves to the next frames, a reply first. */
async function nextFrames(messages: AsyncIterator<unknown[]>, count: number): Promise<Frame[]> {
  const frames: Frame[] = [];
  while (frames.length < count) {
    const { value } = await messages.next();
    frames.push(JSON.parse(String(value[0])));
  }
  return frames.sort((one, other) => Number('id' in other) - Number('id' in one));
}

type Keep = (name: string, frame: object) => void;

function keepExchange(keep: Keep, sent: Frame, reply: Frame): void {
  const names = messageNames(sent.type);
  if (reply.error) return keep(names.error, reply);
  keep(names.request, sent);
  keep(names.reply, reply);
}
