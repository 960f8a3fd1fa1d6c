import { once } from 'node:events';
import { expect } from 'chai';
import { WebSocket } from 'ws';
import { type AttemptLimits, createAttemptLimits } from '../../src/http/attemptLimits.ts';
import { defaultLimits } from '../../src/limits.ts';
import { open, Refused } from '../support/client.ts';
import {
  connectAs,
  database,
  http,
  metric,
  newGroup,
  newUser,
  type RunningServer,
  startServer,
  type User,
} from '../support/harness.ts';
import { until } from '../support/until.ts';

/** A server with limits, for one test. */
async function limited(env: Record<string, string>, test: (server: RunningServer) => Promise<void>) {
  const server = await startServer({ RATE_LIMITS: 'on', ...env });
  try {
    await test(server);
  } finally {
    await server.close();
  }
}

/** Creates a user who connects to a server. */
async function userOf({ url }: RunningServer): Promise<User> {
  const user = await newUser();
  return { ...user, connect: () => connectAs(user.token, url) };
}

const count = (server: RunningServer, limit: string) =>
  metric(server, `parley_limited_total{limit="${limit}"}`);

/** Returns the status of a refused upgrade; 101 for a successful one. */
async function upgradeOf({ url }: RunningServer, { token }: User, headers = {}) {
  const all = { authorization: `Bearer ${token}`, ...headers };
  const socket = new WebSocket(url.replace('http', 'ws'), { headers: all });
  return open(socket).then(
    (client) => ({ status: 101, client }),
    (error: Refused) => ({ status: error instanceof Refused ? error.status : 0, client: undefined }),
  );
}

describe('limits on commands', () => {
  it('answer RATE_LIMITED to a connection that floods, with the time to wait, and accept commands afterwards', () =>
    limited({ COMMAND_BURST: '100', COMMANDS_PER_SECOND: '50' }, async (server) => {
      const client = await (await userOf(server)).connect();
      const ids = Array.from({ length: 200 }, () => client.send('ping'));
      const replies = await Promise.all(ids.map((id) => client.reply(id)));
      const refused = replies.filter(({ code }) => code === 'RATE_LIMITED');
      expect(replies[0].success).to.equal(true);
      expect(refused.length).to.be.within(50, 100);
      expect(refused[0].retryAfter).to.equal(1);
      expect(await count(server, 'commands')).to.equal(refused.length);
      expect(await metric(server, 'parley_commands_total{type="ping",outcome="RATE_LIMITED"}')).to.equal(
        refused.length,
      );
      await until(async () => (await client.call('ping')).success === true);
      await client.close();
    }));

  it('count frames that cannot be read as well', () =>
    limited({ COMMAND_BURST: '20', COMMANDS_PER_SECOND: '1' }, async (server) => {
      const client = await (await userOf(server)).connect();
      for (let n = 0; n < 30; n++) client.socket.send(n % 2 === 0 ? 'not JSON' : Buffer.from('binary'));
      const codes: string[] = [];
      for (let n = 0; n < 30; n++) codes.push((await client.next()).code);
      expect(codes.slice(0, 20)).to.deep.equal(Array(20).fill('BAD_REQUEST'));
      expect(codes.slice(21)).to.deep.equal(Array(9).fill('RATE_LIMITED'));
      expect(await client.refused('ping')).to.equal('RATE_LIMITED');
      await client.close();
    }));

  it('count heavy commands as several', () =>
    limited({ COMMAND_BURST: '100', COMMANDS_PER_SECOND: '1' }, async (server) => {
      const client = await (await userOf(server)).connect();
      for (let n = 0; n < 5; n++) await client.done('searchMessages', { query: 'anything' });
      const refused = await client.call('searchMessages', { query: 'anything' });
      expect(refused).to.include({ code: 'RATE_LIMITED' });
      expect(refused.retryAfter).to.be.within(18, 20);
      await client.close();
    }));

  it('apply to the commands that reach others without being stored, and to none beside them', () =>
    limited({}, async (server) => {
      const [ada, bob] = [await userOf(server), await userOf(server)];
      const client = await ada.connect();
      await client.done('privateMessage', { receiverId: bob.id, content: 'Hello' });
      for (const [type, params, burst] of [
        ['sendEvent', { receiverId: bob.id, event: 'nudge' }, 100],
        ['typing', { receiverId: bob.id, typing: true }, 10],
      ] as const) {
        const ids = Array.from({ length: 3 * burst }, () => client.send(type, params));
        const codes = (await Promise.all(ids.map((id) => client.reply(id)))).map(({ code }) => code);
        expect(codes.slice(0, burst), type).to.deep.equal(Array(burst).fill(undefined));
        expect(codes, type).to.include('RATE_LIMITED');
        await client.done('ping');
      }
    }));

  it('apply to all connections of a user together, and to no other user', () =>
    limited({ USER_COMMAND_BURST: '30', USER_COMMANDS_PER_SECOND: '1' }, async (server) => {
      const [ada, bob] = [await userOf(server), await userOf(server)];
      const [phone, desk, b] = [await ada.connect(), await ada.connect(), await bob.connect()];
      for (let n = 0; n < 15; n++) await Promise.all([phone.done('ping'), desk.done('ping')]);
      expect(await phone.refused('ping')).to.equal('RATE_LIMITED');
      expect(await desk.refused('ping')).to.equal('RATE_LIMITED');
      await phone.close();
      expect(await (await ada.connect()).refused('ping')).to.equal('RATE_LIMITED');
      await b.done('ping');
    }));

  it('refuse sends beyond the queue with UNAVAILABLE, store all others once, and recover at once', () =>
    limited({ RATE_LIMITS: 'off', QUEUE_LENGTH: '50' }, async (server) => {
      const [ada, bob] = [await userOf(server), await userOf(server)];
      const a = await ada.connect();
      const ids = Array.from({ length: 2_000 }, (_, n) =>
        a.send('privateMessage', { receiverId: bob.id, content: `${n}` }),
      );
      const replies = await Promise.all(ids.map((id) => a.reply(id)));
      const stored = replies.flatMap(({ success }, n) => (success ? [`${n}`] : []));
      const refused = replies.filter(({ success }) => !success);
      expect(refused.length).to.be.above(100);
      expect(new Set(refused.map(({ code }) => code))).to.deep.equal(new Set(['UNAVAILABLE']));
      expect(await count(server, 'queue')).to.equal(refused.length);
      const { seq } = await a.done('privateMessage', { receiverId: bob.id, content: 'after' });
      expect(seq).to.equal(stored.length + 1);
      const kept: string[] = [];
      for (let page = 1; kept.length < stored.length + 1; page++) {
        const { data } = await a.done('getlatestMessageDialog', { receiverId: bob.id, limit: 100, page });
        if (data.length === 0) break;
        kept.push(...data.map(({ content }: { content: string }) => content));
      }
      expect(kept.reverse()).to.deep.equal([...stored, 'after']);
    }));

  it('close a connection with too many unanswered commands', () =>
    limited({ RATE_LIMITS: 'off', UNANSWERED_PER_CONNECTION: '10' }, async (server) => {
      const client = await (await userOf(server)).connect();
      for (let n = 0; n < 100; n++) client.send('listLastMessage');
      expect(await client.closed).to.equal(4429);
      expect(await count(server, 'unanswered')).to.be.above(0);
    }));

  it('take a frame of exactly the configured size in bytes, and close with 1009 on one of a byte more', () =>
    limited({ FRAME_BYTES: '2000' }, async (server) => {
      const client = await (await userOf(server)).connect();
      const frame = (bytes: number) => {
        const empty = Buffer.byteLength(JSON.stringify({ type: 'ping', id: '' }));
        const id = `${'ä'.repeat(900)}${'x'.repeat(bytes - empty - 1_800)}`;
        return JSON.stringify({ type: 'ping', id });
      };
      client.socket.send(frame(2_000));
      expect(await client.next()).to.include({ type: 'ping', success: true });
      client.socket.send(frame(2_001));
      expect(await client.closed).to.equal(1009);
      expect(await count(server, 'frame')).to.equal(1);
    }));
});

describe('limits on connections', () => {
  it('apply per user', () =>
    limited({ CONNECTIONS_PER_USER: '3' }, async (server) => {
      const [ada, bob] = [await userOf(server), await userOf(server)];
      const clients = await Promise.all([1, 2, 3].map(() => ada.connect()));
      expect((await upgradeOf(server, ada)).status).to.equal(429);
      expect((await upgradeOf(server, bob)).status).to.equal(101);
      await clients[0]?.close();
      expect((await upgradeOf(server, ada)).status).to.equal(101);
      expect(await count(server, 'connections')).to.equal(1);
      expect(await metric(server, 'parley_upgrades_total{outcome="RATE_LIMITED"}')).to.equal(1);
      expect(await metric(server, 'parley_upgrades_total{outcome="ok"}')).to.equal(5);
      expect(await metric(server, 'parley_closes_total{code="1006"}')).to.equal(1);
    }));

  it('apply per address, which only a trusted proxy may set', () =>
    limited({ CONNECTIONS_PER_ADDRESS: '2', TRUST_PROXY: 'loopback' }, async (server) => {
      const ada = await userOf(server);
      const from = (address: string) =>
        upgradeOf(server, ada, { 'x-forwarded-for': address }).then(({ status }) => status);
      expect([await from('203.0.113.7'), await from('203.0.113.7')]).to.deep.equal([101, 101]);
      expect(await from('203.0.113.7')).to.equal(429);
      expect(await from('203.0.113.8')).to.equal(101);
      // the address that the client claims is to the left of the one that the proxy saw
      expect(await from('203.0.113.99, 203.0.113.7')).to.equal(429);
      // one customer has a whole /64
      expect([await from('2001:db8::1'), await from('2001:db8::2'), await from('2001:db8::3')]).to.deep.equal(
        [101, 101, 429],
      );
      expect(await from('2001:db8:0:1::1')).to.equal(101);
      expect([await from('garbage'), await from('gar, bage'), await from('::x')]).to.deep.equal([
        101, 101, 429,
      ]);
    }));

  it('ignore the headers of untrusted proxies', () =>
    limited({ CONNECTIONS_PER_ADDRESS: '1' }, async (server) => {
      const ada = await userOf(server);
      expect((await upgradeOf(server, ada, { 'x-forwarded-for': '203.0.113.7' })).status).to.equal(101);
      expect((await upgradeOf(server, ada, { 'x-forwarded-for': '203.0.113.8' })).status).to.equal(429);
    }));

  it('close a connection that is silent for too long, and keep one that answers pings', () =>
    limited({ IDLE_SECONDS: '8' }, async (server) => {
      const ada = await userOf(server);
      const headers = { authorization: `Bearer ${ada.token}` };
      const alive = await ada.connect();
      const dead = new WebSocket(server.url.replace('http', 'ws'), { headers, autoPong: false });
      const start = Date.now();
      await once(dead, 'close');
      expect(Date.now() - start).to.be.within(3_000, 30_000);
      expect((await alive.call('ping')).success).to.equal(true);
    }));
});

describe('limits on groups', () => {
  it('apply per group, for every way to join', () =>
    limited({ MEMBERS_PER_GROUP: '3' }, async (server) => {
      const people = await Promise.all([1, 2, 3, 4].map(() => userOf(server)));
      const [a, , , d] = await Promise.all(people.map((user) => user.connect()));
      const [, bob, cleo, dan] = people;
      if (!a || !d || !bob || !cleo || !dan) throw new Error('no connection');
      const userIds = [bob.id, cleo.id, dan.id];
      expect(await a.refused('newGroup', { groupName: 'Four', userIds })).to.equal('FORBIDDEN');
      const groupId = await newGroup(a, bob, cleo);
      expect(await a.refused('addUserInGroup', { groupId, userId: dan.id })).to.equal('FORBIDDEN');
      const { code } = (await a.done('createInvite', { groupId, maxUses: 1 })).data;
      const refused = await d.call('joinByInvite', { code });
      expect(refused).to.include({ code: 'FORBIDDEN', message: 'A group has at most 3 members' });
      await a.done('removeUserFromGroup', { groupId, userId: cleo.id });
      await d.done('joinByInvite', { code }); // the refusal has not used it up
      expect(await count(server, 'members')).to.equal(3);
    }));

  it('apply per user, and do not count groups that the user has left', () =>
    limited({ GROUPS_PER_USER: '2' }, async (server) => {
      const [ada, bob] = [await userOf(server), await userOf(server)];
      const [a, b] = [await ada.connect(), await bob.connect()];
      await a.done('privateMessage', { receiverId: bob.id, content: 'dialogs do not count' });
      const first = await newGroup(a);
      await newGroup(a);
      expect(await a.refused('newGroup', { groupName: 'Third' })).to.equal('FORBIDDEN');
      const other = await newGroup(b);
      expect(await b.refused('addUserInGroup', { groupId: other, userId: ada.id })).to.equal('FORBIDDEN');
      await a.done('leaveGroup', { groupId: first });
      await b.done('addUserInGroup', { groupId: other, userId: ada.id });
      expect(await count(server, 'groups')).to.equal(2);
    }));
});

describe('limits on attempts', () => {
  let server: RunningServer;
  let addresses = 0;
  before(async () => {
    server = await startServer({
      ...{
        RATE_LIMITS: 'on',
        TRUST_PROXY: 'loopback',
        RENAMES_PER_USER: '1',
        REGISTRATIONS_PER_ADDRESS: '1',
      },
      ...{ LOGIN_FAILURES_PER_ACCOUNT: '2', LOGIN_FAILURES_PER_ADDRESS: '4' },
    });
  });
  after(() => server.close());

  const newAddress = () => `203.0.113.${++addresses}`;
  const call = (method: string, path: string, address: string, body: object, token = '') =>
    http(method, path, { body, token, url: server.url, headers: { 'x-forwarded-for': address } });
  const logIn = async (address: string, username: string, password: string) =>
    (await call('POST', '/auth/login', address, { username, password })).status;

  it('answer 429 with Retry-After after some wrong passwords, also when they arrive at the same time', async () => {
    const [ada, address] = [await newUser(), newAddress()];
    const before = await count(server, 'login');
    const wrong = await Promise.all([1, 2, 3].map(() => logIn(address, ada.username, 'wrong')));
    expect(wrong.sort()).to.deep.equal([401, 401, 429]);
    const { username, password } = { ...ada, username: ada.username.toUpperCase() };
    const blocked = await call('POST', '/auth/login', address, { username, password });
    expect([blocked.status, blocked.body.code]).to.deep.equal([429, 'RATE_LIMITED']);
    expect(Number(blocked.headers.get('retry-after'))).to.be.within(1, 15 * 60);
    expect(await count(server, 'login')).to.equal(before + 2);
    expect(await logIn(newAddress(), ada.username, ada.password)).to.equal(200); // the owner, elsewhere
  });

  it('stop attempts on many accounts from one address', async () => {
    const address = newAddress();
    const statuses: number[] = [];
    for (let n = 0; n < 5; n++) statuses.push(await logIn(address, `nobody${n}`, 'guess'));
    expect(statuses).to.deep.equal([401, 401, 401, 401, 429]);
  });

  it('do not count correct logins, one after another or at the same time', async () => {
    const [ada, address] = [await newUser(), newAddress()];
    const statuses = [await logIn(address, ada.username, ada.password)];
    const atOnce = Array.from({ length: 5 }, () => logIn(address, ada.username, ada.password));
    statuses.push(...(await Promise.all(atOnce)));
    expect(new Set(statuses)).to.deep.equal(new Set([200]));
  });

  it('count wrong current passwords too', async () => {
    const [{ token }, address] = [await newUser(), newAddress()];
    const wrong = { password: 'another one', currentPassword: 'guess' };
    const answers = [
      await call('DELETE', '/users/me', address, { password: 'guess' }, token),
      await call('PATCH', '/users/me', address, wrong, token),
      await call('DELETE', '/users/me', address, { password: 'guess' }, token),
      await call('PATCH', '/users/me', address, wrong, token),
    ];
    expect(answers.map(({ status }) => status)).to.deep.equal([403, 403, 429, 429]);
  });

  it('apply to accounts created from one address', async () => {
    const address = newAddress();
    const register = (username: string, password = 'correct horse battery') => {
      const body = { email: `${username}@more.example`, username, password };
      return call('POST', '/auth/register', address, body);
    };
    expect((await register('one-more', 'password')).status).to.equal(400); // which counts for nothing
    expect((await register('one-more')).status).to.equal(201);
    const refused = await register('two-more');
    expect(refused.status).to.equal(429);
    expect(Number(refused.headers.get('retry-after'))).to.be.within(3_000, 3_600);
    expect(await count(server, 'registration')).to.equal(1);
  });

  it('apply to changes of the username, and not to other changes', async () => {
    const [{ token, username, password }, address] = [await newUser(), newAddress()];
    const change = (body: object) => call('PATCH', '/users/me', address, body, token);
    expect((await change({ username: `${username}-1` })).status).to.equal(200);
    const refused = await change({ username: `${username}-2` });
    expect([refused.status, refused.body.code]).to.deep.equal([429, 'RATE_LIMITED']);
    expect(await count(server, 'rename')).to.equal(1);
    const email = { email: `1${username}@example.com`, currentPassword: password };
    expect((await change(email)).status).to.equal(200);
  });

  describe('when clocks differ', () => {
    const { now } = Date;
    const setClock = (hours: number) => {
      Date.now = () => now() + hours * 3_600_000;
    };
    afterEach(() => {
      Date.now = now;
    });
    const limits = { ...defaultLimits, loginFailuresPerAccount: 2, loginWindowSeconds: 60 };
    const guess = (node: AttemptLimits, isRight: boolean) =>
      node.guess('clocks', '192.0.2.9', async () => isRight);

    it('are shared by all nodes, by the clock of the database', async () => {
      for (const hours of [-2, 3]) {
        setClock(hours);
        const node = createAttemptLimits(limits, database);
        expect(await guess(node, true)).to.equal(true); // not counted
        expect(await guess(node, false)).to.equal(false);
      }
      for (const hours of [-2, 0, 3]) {
        setClock(hours);
        const node = createAttemptLimits(limits, database);
        const { code, retryAfter } = await guess(node, true).catch((error) => error);
        expect(code).to.equal('RATE_LIMITED');
        expect(retryAfter).to.be.within(1, 60);
      }
    });

    it('end with their window, and are deleted a minute later', async () => {
      const pass = (seconds: number) =>
        database.execute('update attempts set expire = expire - $1::bigint * 1000', [seconds]);
      const node = createAttemptLimits(limits, database);
      const wrong = () => node.guess('window', '192.0.2.11', async () => false).catch(({ code }) => code);
      expect([await wrong(), await wrong(), await wrong()]).to.deep.equal([false, false, 'RATE_LIMITED']);
      await pass(61);
      expect(await wrong()).to.equal(false);
      await pass(121);
      await node.guess('another', '192.0.2.12', async () => false);
      const kept = await database.query('select key from attempts', []);
      expect(kept).to.have.length(2); // of the last guess: its account and its address
    });
  });
});
