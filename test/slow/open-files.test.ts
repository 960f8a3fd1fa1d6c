import { spawnSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { connect as connectSocket, type Socket } from 'node:net';
import { platform } from 'node:os';
import { expect } from 'chai';
import { databaseUrl, JWT_SECRET, newUser } from '../support/harness.ts';
import { type ServerProcess, startProcess } from '../support/process.ts';
import { until } from '../support/until.ts';

/** Limit of open files of the server in these tests. */
const LIMIT = 128;

describe('a server whose sockets have taken all open files', function () {
  this.timeout(180_000);
  let running: ServerProcess | undefined;
  const sockets: Socket[] = [];

  after(async () => {
    for (const socket of sockets) socket.destroy();
    await running?.stop('SIGTERM');
  });

  it('answers UNAVAILABLE when it needs another connection to the database, and continues once it has one', async function () {
    if (platform() !== 'linux') return this.skip();
    const env = { DATABASE_URL: databaseUrl(), JWT_SECRET, PASSWORD_THREADS: '1', DATABASE_POOL_SIZE: '40' };
    running = await startProcess(env);
    const { port, url, child } = running;
    const ada = await newUser(url);
    const clients = await Promise.all(Array.from({ length: 8 }, () => ada.connect()));
    // Not from the start: Node reads modules concurrently, and each is an open file while it is read.
    const limiting = spawnSync('prlimit', [`--pid=${child.pid}`, `--nofile=${LIMIT}:${LIMIT}`]);
    if (limiting.error) return this.skip(); // prlimit is not installed
    expect(limiting.status, String(limiting.stderr)).to.equal(0);
    const send = () => clients[0]?.call('privateMessage', { receiverId: ada.id, content: 'x' });

    while (sockets.length < LIMIT) {
      const socket = connectSocket(port, '127.0.0.1').on('error', () => {});
      sockets.push(socket);
    }
    await until(async () => (await readdir(`/proc/${child.pid}/fd`)).length >= LIMIT);
    expect(await send()).to.include({ error: true, code: 'UNAVAILABLE' });
    const answers = await Promise.all(clients.map((client) => client.call('searchUsers', { query: 'user' })));
    for (const { success, code } of answers) expect(success ?? code).to.be.oneOf([true, 'UNAVAILABLE']);

    for (const socket of sockets) socket.destroy();
    await until(async () => (await send())?.success === true);
  });
});
