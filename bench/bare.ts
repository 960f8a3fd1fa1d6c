import uWS from 'uWebSockets.js';
import pg from 'pg';
import { pino } from 'pino';
import { startEmbeddedPostgres } from '../src/database/embedded.ts';

/*
 * The limit of this machine: the socket library and one INSERT per batch into the same PostgreSQL, and nothing
 * of a messenger. No accounts, no membership, no numbers per chat, no idempotency, no validation. The token is
 * the user's id.
 */

const log = pino();
const postgres = await startEmbeddedPostgres(process.env.DATA_DIR ?? '.data', pino({ level: 'silent' }));
const database = new pg.Client({ connectionString: postgres.url });
await database.connect();
await database.query(
  'create table bare (id bigint generated always as identity primary key, sender bigint, receiver bigint, content text)',
);

interface Send {
  readonly socket: uWS.WebSocket<{ id: string }>;
  readonly id: number;
  readonly receiverId: number;
  readonly content: string;
}

let queue: Send[] = [];
let writing = false;

async function write(): Promise<void> {
  writing = true;
  while (queue.length > 0) {
    const batch = queue;
    queue = [];
    const { rows } = await database.query({
      name: 'bare',
      text: 'insert into bare (sender, receiver, content) select * from unnest($1::bigint[], $2::bigint[], $3::text[]) returning id',
      values: [
        batch.map(({ socket }) => socket.getUserData().id),
        batch.map(({ receiverId }) => receiverId),
        batch.map(({ content }) => content),
      ],
    });
    batch.forEach(({ socket, id, receiverId, content }, index) => {
      const messageId = Number(rows[index].id);
      const senderId = Number(socket.getUserData().id);
      const type = 'privateMessage';
      app.publish(
        `user:${receiverId}`,
        JSON.stringify({
          type,
          success: true,
          params: { data: null, message: content, senderId, messageId },
        }),
      );
      socket.send(
        JSON.stringify({ type, success: true, params: { data: null, message: null, messageId }, id }),
      );
    });
  }
  writing = false;
}

const app = uWS.App();
app.ws<{ id: string }>('/*', {
  upgrade(res, req, context) {
    const id = req.getHeader('authorization').slice('Bearer '.length);
    const key = req.getHeader('sec-websocket-key');
    res.upgrade({ id }, key, '', '', context);
  },
  open: (socket) => void socket.subscribe(`user:${socket.getUserData().id}`),
  message(socket, message) {
    const { id, params } = JSON.parse(Buffer.from(message).toString());
    queue.push({ socket, id, ...params });
    if (!writing) queueMicrotask(() => writing || write());
  },
});
app.listen(0, (socket) => {
  if (socket) log.info({ port: uWS.us_socket_local_port(socket) }, 'listening');
});

process.on('SIGTERM', async () => {
  await database.end();
  await postgres.stop();
  process.exit(0);
});
