import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import pg from 'pg';
import { pino } from 'pino';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/database/embedded.ts';
import { type Client, connect } from '../support/client.ts';
import { needFaketime, startWithClock } from '../support/faketime.ts';
import {
  database,
  databaseUrl,
  http,
  JWT_SECRET,
  metric,
  newGroup,
  newUser,
  newUsers,
  type RunningServer,
  startServer,
  temporaryFolder,
  type User,
} from '../support/harness.ts';
import { type ServerProcess, startProcess } from '../support/process.ts';
import { startRelay } from '../support/relay.ts';
import { pause, until, within } from '../support/until.ts';

const readiness = async (url: string) => {
  const { status, body } = await http('GET', '/health/ready', { url });
  return `${status} ${body.message ?? 'ok'}`;
};

/** Sends messages, each with an id of its own, until the connection ends; records the acknowledged ones. */
class Writer {
  readonly acknowledged = new Map<string, number>();
  readonly #client: Client;
  readonly #receiverId: number;
  readonly #prefix: string;
  #sent = 0;

  constructor(client: Client, receiverId: number, prefix: string) {
    this.#client = client;
    this.#receiverId = receiverId;
    this.#prefix = prefix;
    client.socket.on('message', (data) => {
      const { id, success, params } = JSON.parse(String(data));
      if (success && typeof id === 'string' && id.startsWith(prefix)) this.acknowledged.set(id, params.seq);
      this.#write(1);
    });
    this.#write(64);
  }

  /** Ids of all sent messages. */
  get sent(): string[] {
    return Array.from({ length: this.#sent }, (_, n) => `${this.#prefix}${n}`);
  }

  #write(count: number): void {
    for (let n = 0; n < count; n++) {
      const id = `${this.#prefix}${this.#sent++}`;
      const params = { receiverId: this.#receiverId, content: id, clientMessageId: id };
      this.#client.socket.send(JSON.stringify({ type: 'privateMessage', params, id }));
    }
  }
}

describe('a server that is killed in the middle of sending', function () {
  this.timeout(400_000);

  it('stores each acknowledged and each repeated message once, over 6 rounds', async () => {
    const [ada, bob] = await newUsers(2);
    const acknowledged = new Map<string, number>();
    let unsure: string[] = [];
    for (let round = 0; round < 6; round++) {
      const server = await startProcess({ DATABASE_URL: databaseUrl(), JWT_SECRET });
      const client = await connect(server.url, ada.token);
      // as a client that does not know the outcome of its messages
      for (const id of unsure) {
        const params = { receiverId: bob.id, content: id, clientMessageId: id };
        acknowledged.set(id, (await client.done('privateMessage', params)).seq);
      }
      const writer = new Writer(client, bob.id, `${round}-`);
      await pause(20 + Math.random() * 150);
      await server.stop('SIGKILL');
      await client.closed;
      for (const [id, seq] of writer.acknowledged) acknowledged.set(id, seq);
      unsure = writer.sent.filter((id) => !writer.acknowledged.has(id));
    }
    const rows = await database.query<{ content: string; seq: number }>(
      'select content, seq from messages where sender_id = $1 order by seq',
      [ada.id],
    );
    expect(acknowledged.size).to.be.above(500);
    expect(rows.map(({ seq }) => seq)).to.deep.equal(rows.map((_, n) => n + 1));
    expect(new Set(rows.map(({ content }) => content)).size).to.equal(rows.length);
    const stored = new Map(rows.map(({ content, seq }) => [content, seq]));
    for (const [id, seq] of acknowledged) expect([id, stored.get(id)]).to.deep.equal([id, seq]);
  });
});

const notIndexed = `
select from messages
where kind = 'text' and not exists (select from message_search where message_id = messages.id)
limit 1
`;

describe('a PostgreSQL with faults', function () {
  this.timeout(240_000);
  let folder: string;
  let postgres: EmbeddedPostgres;
  let server: RunningServer;
  let ada: User;
  let client: Client;

  beforeEach(async () => {
    folder = await temporaryFolder();
    postgres = await startEmbeddedPostgres(folder, pino({ level: 'silent' }));
    server = await startServer({ DATABASE_URL: postgres.url, DATABASE_POOL_SIZE: '4' });
    ada = await newUser(server.url);
    client = await ada.connect(server.url);
  });
  afterEach(async () => {
    await client.close();
    await server.close();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const write = (content: string) => client.call('privateMessage', { receiverId: ada.id, content });
  const contents = async () => {
    const { data } = await client.done('getlatestMessageDialog', { receiverId: ada.id, limit: 100 });
    return data.map(({ content }: { content: string }) => content).reverse();
  };
  const postmaster = async () =>
    Number((await readFile(join(folder, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]);
  const direct = async (work: (admin: pg.Client) => Promise<unknown>) => {
    const admin = new pg.Client(postgres.url);
    admin.on('error', () => {});
    await admin.connect();
    await work(admin);
    await admin.end().catch(() => {});
  };

  it('stopped at once: commands get UNAVAILABLE, and no acknowledged message is lost when it is back', async () => {
    const writer = new Writer(client, ada.id, 'load-');
    await until(() => writer.acknowledged.size > 500);
    process.kill(await postmaster(), 'SIGQUIT');
    await client.next(({ code }) => code === 'UNAVAILABLE', 'a refusal', 20_000);
    await until(async () => (await readiness(server.url)) === '200 ok');
    const before = writer.acknowledged.size;
    await until(() => writer.acknowledged.size > before + 500);
    const acknowledged = new Map(writer.acknowledged);
    await client.close();
    await direct(async (admin) => {
      const { rows } = await admin.query('select content, seq::int from messages order by seq');
      expect(rows.map(({ seq }) => seq)).to.deep.equal(rows.map((_, n) => n + 1));
      const stored = new Map(rows.map(({ content, seq }) => [content, seq]));
      for (const [id, seq] of acknowledged) expect([id, stored.get(id)]).to.deep.equal([id, seq]);
      // commits of the search index do not wait for the disk: lost entries are indexed again
      await until(async () => (await admin.query(notIndexed)).rows.length === 0);
    });
  });

  it('frozen for ten seconds: /health/ready reports it, sockets stay open, and answers are late but correct', async () => {
    await write('before');
    const pid = await postmaster();
    const signal = (name: string) => {
      process.kill(pid, `SIG${name}`);
      execFileSync('pkill', [`-${name}`, '-P', String(pid)]);
    };
    signal('STOP');
    const id = client.send('privateMessage', { receiverId: ada.id, content: 'during' });
    const late = client.next((frame) => frame.id === id, 'the late reply', 20_000);
    await pause(1_000);
    expect(await readiness(server.url)).to.equal('503 The database does not answer');
    expect((await http('GET', '/health/live', { url: server.url })).status).to.equal(200);
    await pause(8_000);
    signal('CONT');
    expect((await late).success).to.equal(true);
    expect(await contents()).to.deep.equal(['before', 'during']);
    await until(async () => (await readiness(server.url)) === '200 ok');
  });

  it('out of connections: the server writes over the one it has, refuses commands that need another, and recovers', async () => {
    await write('before');
    const held: pg.Client[] = [];
    // the pool of the server is idle; take all remaining connections
    for (;;) {
      const one = new pg.Client(postgres.url);
      one.on('error', () => {});
      const isIn = await one.connect().then(
        () => true,
        () => false,
      );
      if (!isIn) break;
      held.push(one);
    }
    await direct(async () => {}).catch(({ code }) => expect(code).to.equal('53300'));
    expect((await write('during')).success).to.equal(true);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => http('POST', '/auth/login', { body: ada, url: server.url })),
    );
    for (const { status } of answers) expect(status).to.be.oneOf([400, 503]);
    for (const one of held) await one.end();
    await until(async () => (await readiness(server.url)) === '200 ok');
    expect(await contents()).to.deep.equal(['before', 'during']);
  });

  it('read-only: the server answers reads, refuses writes, reports it, and recovers', async () => {
    await write('before');
    const setReadOnly = (value: string) =>
      direct(async (admin) => {
        await admin.query('set default_transaction_read_only = off');
        await admin.query(`alter system set default_transaction_read_only = ${value}`);
        await admin.query('select pg_reload_conf()');
        await pause(300);
      });
    await setReadOnly('on');
    expect(await write('during')).to.include({ code: 'UNAVAILABLE' });
    expect(await client.call('newGroup', { groupName: 'x' })).to.include({ code: 'UNAVAILABLE' });
    expect(await contents()).to.deep.equal(['before']);
    expect(await readiness(server.url)).to.equal('503 The database is read-only');
    await setReadOnly('off');
    expect((await write('after')).success).to.equal(true);
    expect(await contents()).to.deep.equal(['before', 'after']);
    expect(await readiness(server.url)).to.equal('200 ok');
  });
});

describe('a full disk', function () {
  this.timeout(240_000);
  let folder: string;

  before(async function () {
    folder = await temporaryFolder();
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=160m,mode=755', 'tmpfs', folder], {
        stdio: 'ignore',
      });
    } catch {
      console.log('      skipped: no small disk can be made here, which takes root');
      this.skip();
    }
  });
  after(() => {
    if (folder && existsSync(folder)) execFileSync('umount', ['-l', folder], { stdio: 'ignore' });
  });

  it('under the embedded database makes the server refuse writes, without loss, until there is space', async () => {
    const data = join(folder, 'data');
    await mkdir(data);
    const server = await startProcess({ DATA_DIR: data });
    const ada = await newUser(server.url);
    const client = await connect(server.url, ada.token);
    const acknowledged: string[] = [];
    const content = 'x'.repeat(3_900);
    const write = async (n: number) => {
      const id = `${n}:`;
      const reply = await client.call('privateMessage', { receiverId: ada.id, content: id + content });
      if (reply.success) acknowledged.push(id);
      return reply.code as string | undefined;
    };
    await write(0);
    const free = Number(execFileSync('df', ['--output=avail', '-B1', folder]).toString().split('\n')[1]);
    await writeFile(join(folder, 'filler'), Buffer.alloc(free - 3 * 1024 * 1024, 1)).catch(() => {});
    let code: string | undefined;
    for (let n = 1; n < 20_000 && code === undefined; n++) code = await write(n);
    expect(code).to.equal('UNAVAILABLE');
    expect((await http('GET', '/health/live', { url: server.url })).status).to.equal(200);
    await rm(join(folder, 'filler'));
    await until(async () => (await readiness(server.url)) === '200 ok');
    let last = 100_000;
    await until(async () => (await write(last++)) === undefined); // PostgreSQL may still restart
    const stored: string[] = [];
    for (let page = 1; ; page++) {
      const { data } = await client.done('getlatestMessageDialog', { receiverId: ada.id, limit: 100, page });
      if (data.length === 0) break;
      stored.push(
        ...data.map((row: { content: string }) => row.content.slice(0, row.content.indexOf(':') + 1)),
      );
    }
    expect(stored.reverse()).to.include.members(acknowledged);
    expect(new Set(stored).size).to.equal(stored.length);
    expect(await server.stop('SIGTERM')).to.equal(0);
  });
});

describe('a clock that jumps', function () {
  this.timeout(180_000);
  before(needFaketime);

  it('changes no order, ends no session and no token, and does not stop the limits', async () => {
    const server = await startWithClock('+0', { RATE_LIMITS: 'on' });
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await connect(server.url, ada.token), await connect(server.url, bob.token)];
    const write = (content: string) => a.done('privateMessage', { receiverId: bob.id, content });
    const seqs = [(await write('now')).seq];
    for (const offset of ['-3h', '+25h', '+0s']) {
      await server.setClock(offset);
      const { seq, createdAt } = await write(offset);
      seqs.push(seq);
      expect(Math.abs(Date.parse(createdAt) - Date.now())).to.be.below(60_000); // the database's
      expect((await a.call('ping')).success).to.equal(true);
      const login = { username: ada.username, password: ada.password };
      const { status, body } = await http('POST', '/auth/login', { body: login, url: server.url });
      expect(status).to.equal(200);
      for (const token of [body.token, ada.token]) await (await connect(server.url, token)).close();
    }
    expect(seqs).to.deep.equal([1, 2, 3, 4]);
    for (const content of ['now', '-3h', '+25h', '+0s'])
      expect((await b.push('privateMessage')).params.message).to.equal(content);
    await server.stop('SIGKILL');
  });
});

describe('clients that never finish', function () {
  this.timeout(180_000);

  it('are disconnected (slow headers, slow bodies, silence) while others are served', async () => {
    const server = await startServer();
    const ada = await newUser();
    const client = await ada.connect(server.url);
    const half = 'POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"user';
    const beginnings = [
      '',
      'GET / HT',
      'GET / HTTP/1.1\r\nHost: x\r\nX-A: ',
      half,
      `${half}${'n'.repeat(100)}`,
    ];
    const sockets: Socket[] = [];
    for (let n = 0; n < 200; n++) {
      const socket = connectTcp(server.port, '127.0.0.1').on('error', () => {});
      sockets.push(socket);
      socket.write(beginnings[n % beginnings.length] as string);
    }
    const drip = setInterval(() => {
      for (const socket of sockets) if (socket.writable && !socket.destroyed) socket.write('a');
    }, 2_000);
    const closed = Promise.all(
      sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve))),
    );
    for (let n = 0; n < 5; n++) {
      expect((await client.call('ping')).success).to.equal(true);
      expect((await http('GET', '/health/ready', { url: server.url })).status).to.equal(200);
      await pause(100);
    }
    await within(closed, 45_000);
    expect(sockets.filter(({ closed }) => !closed)).to.have.lengthOf(0);
    clearInterval(drip);
    await client.close();
    await server.close();
  });

  it('are disconnected when their network fails: a half-open socket is closed, and its user is offline', async () => {
    const server = await startServer({ IDLE_SECONDS: '8' });
    const relay = await startRelay(server.url);
    const [ada, bob] = await newUsers(2);
    const b = await bob.connect(server.url);
    const lost = await ada.connect(relay.url);
    await b.done('subscribePresence', { userIds: [ada.id] });
    relay.hold();
    await b.next(
      ({ type, params }) =>
        type === 'subscribePresence' && params.userId === ada.id && params.online === false,
      'the push that Ada is offline',
      20_000,
    );
    expect(await metric(server, 'parley_connections')).to.equal(1);
    relay.release();
    await lost.close();
    await b.close();
    await relay.cut();
    await server.close();
  });
});

describe('twenty readers that stop reading in a group of 20,000 messages', function () {
  this.timeout(300_000);
  let server: ServerProcess;
  afterEach(() => server?.stop('SIGKILL'));

  it('are dropped without an effect on the group, and memory stays bounded', async () => {
    server = await startProcess({ DATABASE_URL: databaseUrl(), JWT_SECRET, SEND_BUFFER_BYTES: '1048576' });
    const users = await newUsers(22);
    const [ada, bob, ...others] = users as [User, User, ...User[]];
    const [a, b] = [await connect(server.url, ada.token), await connect(server.url, bob.token)];
    const groupId = await newGroup(a, bob, ...others);
    await b.rest();
    const stalled = await Promise.all(others.map(({ token }) => connect(server.url, token)));
    for (const { socket } of stalled) socket.pause();
    const before = await metric(server, 'process_resident_memory_bytes');

    let received = 0;
    let highest = before;
    b.socket.on('message', () => received++);
    const content = 'x'.repeat(1_000);
    for (let sent = 0; sent < 20_000; sent += 500) {
      const ids = Array.from({ length: 500 }, () => a.send('messageInGroup', { groupId, content }));
      const replies = await Promise.all(ids.map((id) => a.reply(id)));
      expect(replies.every(({ success }) => success)).to.equal(true);
      if (sent % 2_000 === 0)
        highest = Math.max(highest, await metric(server, 'process_resident_memory_bytes'));
    }
    await until(() => received >= 20_000);
    const pushed = (await b.rest()).filter(({ type }) => type === 'messageInGroup');
    expect(pushed.map(({ params }) => params.seq)).to.deep.equal(
      pushed.map((_, n) => (pushed[0]?.params.seq ?? 0) + n),
    );
    expect(pushed.length).to.equal(20_000);
    expect(await metric(server, 'parley_slow_consumers_dropped_total')).to.equal(20);
    // 20 buffers of 1 MiB; without a bound it would be 20 × 20,000 × 1 KB more
    expect(highest - before).to.be.below(200 * 1024 * 1024);
    for (const { socket } of stalled) socket.terminate();
  });
});
