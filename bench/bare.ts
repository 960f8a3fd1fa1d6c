import uWS from 'uWebSockets.js';
import pg from 'pg';
import { pino } from 'pino';
import { createPlainStore, createSeqStore, type Draft, type Recipient, type Stored } from './bareStores.ts';

/*
 * Measures the limit of this machine: the socket library and one statement per batch into the same PostgreSQL, without
 * accounts, idempotency or validation; with BARE_SEQ also membership and numbers per chat. The token is the user's id.
 * Only the commands of the scenarios are supported.
 */

const log = pino();
const database = new pg.Client(process.env.DATABASE_URL);
await database.connect();
const store = await (process.env.BARE_SEQ ? createSeqStore : createPlainStore)(database);

type Socket = uWS.WebSocket<{ readonly userId: number }>;

type Request = { readonly id: number } & (
  | { readonly type: 'privateMessage' | 'messageInGroup'; readonly params: Recipient & { content: string } }
  | { readonly type: 'newGroup' }
  | { readonly type: 'addUserInGroup'; readonly params: { groupId: number; userId: number } }
);

interface Send extends Draft {
  readonly socket: Socket;
  readonly type: string;
  readonly id: number;
}

/** The newest connection of each user. */
const sockets = new Map<number, Socket>();
let queue: Send[] = [];
let writing = false;

async function write(): Promise<void> {
  writing = true;
  while (queue.length > 0) {
    const batch = queue;
    queue = [];
    const stored = await store.write(batch);
    for (const [index, send] of batch.entries()) answer(send, stored[index]);
  }
  writing = false;
}

function answer({ socket, type, id, senderId, recipient, content }: Send, stored: Stored): void {
  if (!stored) {
    socket.send(JSON.stringify({ error: true, type, message: 'not a member', id }));
    return;
  }
  const { id: messageId, seq } = stored;
  const params = { data: null, message: content, senderId, messageId, seq };
  const push = JSON.stringify({ type, success: true, params });
  if ('groupId' in recipient) socket.publish(`group:${recipient.groupId}`, push);
  else app.publish(`user:${recipient.receiverId}`, push);
  reply(socket, type, { messageId, seq }, id);
}

function reply(socket: Socket, type: string, params: object, id: number): void {
  socket.send(JSON.stringify({ type, success: true, params: { data: null, message: null, ...params }, id }));
}

const app = uWS.App();
app.ws<{ readonly userId: number }>('/*', {
  maxBackpressure: 0, // no limit: by default, messages to a slow reader are dropped
  upgrade(res, req, context) {
    const userId = Number(req.getHeader('authorization').slice('Bearer '.length));
    const key = req.getHeader('sec-websocket-key');
    res.upgrade({ userId }, key, '', '', context);
  },
  open(socket) {
    const { userId } = socket.getUserData();
    sockets.set(userId, socket);
    socket.subscribe(`user:${userId}`);
  },
  message(socket, message) {
    const request: Request = JSON.parse(Buffer.from(message).toString());
    if (request.type === 'newGroup' || request.type === 'addUserInGroup') return void handle(socket, request);
    const { type, id, params } = request;
    queue.push({
      socket,
      type,
      id,
      senderId: socket.getUserData().userId,
      recipient: params,
      content: params.content,
    });
    if (!writing) queueMicrotask(() => writing || write());
  },
});

/** Handles the commands that prepare a scenario. */
async function handle(socket: Socket, request: Request): Promise<void> {
  if (request.type === 'newGroup') {
    const groupId = await store.makeGroup();
    await join(groupId, socket.getUserData().userId);
    reply(socket, request.type, { groupId }, request.id);
  } else if (request.type === 'addUserInGroup') {
    const { groupId, userId } = request.params;
    await join(groupId, userId);
    reply(socket, request.type, {}, request.id);
  }
}

async function join(groupId: number, userId: number): Promise<void> {
  await store.addMember(groupId, userId);
  sockets.get(userId)?.subscribe(`group:${groupId}`);
}

app.listen('127.0.0.1', 0, (socket) => {
  if (socket) log.info({ port: uWS.us_socket_local_port(socket) }, 'listening');
});

process.on('SIGTERM', async () => {
  await database.end();
  process.exit(0);
});
