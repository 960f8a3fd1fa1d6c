import { once } from 'node:events';
import { expect } from 'chai';
import { WebSocket } from 'ws';
import { type AttemptLimits, createAttemptLimits } from '../../src/http/attemptLimits.ts';
import { defaultLimits } from '../../src/limits.ts';
import { open, Refused } from '../support/client.ts';
import {
  database,
  http,
  metric,
  newGroup,
  newUser,
  type RunningServer,
  startServer,
  type User,
} from '../support/harness.ts';

/** A server with limits, for one test. */
async function limited(env: Record<string, string>, test: (server: RunningServer) => Promise<void>) {
  const server = await startServer({ RATE_LIMITS: 'on', ...env });
  try {
    await test(server);
  } finally {
    await server.close();
  }
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
      const client = await (await newUser(server.url)).connect();
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
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect((await client.call('ping')).success).to.equal(true);
      await client.close();
    }));

  it('count frames that cannot be read as well', () =>
    limited({ COMMAND_BURST: '20', COMMANDS_PER_SECOND: '1' }, async (server) => {
      const client = await (await newUser(server.url)).connect();
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
      const client = await (await newUser(server.url)).connect();
      for (let n = 0; n < 5; n++) await client.done('searchMessages', { query: 'anything' });
      const refused = await client.call('searchMessages', { query: 'anything' });
      expect(refused).to.include({ code: 'RATE_LIMITED' });
      expect(refused.retryAfter).to.be.within(18, 20);
      await client.close();
    }));

  it('apply to all connections of a user together, and to no other user', () =>
    limited({ USER_COMMAND_BURST: '30', USER_COMMANDS_PER_SECOND: '1' }, async (server) => {
      const [ada, bob] = [await newUser(server.url), await newUser(server.url)];
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
      const [ada, bob] = [await newUser(server.url), await newUser(server.url)];
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
      const client = await (await newUser(server.url)).connect();
      for (let n = 0; n < 100; n++) client.send('listLastMessage');
      expect(await client.closed).to.equal(4429);
      expect(await count(server, 'unanswered')).to.be.above(0);
    }));

  it('close with 1009 on a frame above the configured size', () =>
    limited({ FRAME_BYTES: '2000' }, async (server) => {
      const client = await (await newUser(server.url)).connect();
      client.socket.send(JSON.stringify({ type: 'ping', params: {}, id: 'x'.repeat(1_900) }));
      await client.next(({ id }) => id !== undefined);
      client.socket.send('x'.repeat(2_001));
      expect(await client.closed).to.equal(1009);
      expect(await count(server, 'frame')).to.equal(1);
    }));
});

describe('limits on connections', () => {
  it('apply per user', () =>
    limited({ CONNECTIONS_PER_USER: '3' }, async (server) => {
      const [ada, bob] = [await newUser(server.url), await newUser(server.url)];
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
      const ada = await newUser(server.url);
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
      const ada = await newUser(server.url);
      expect((await upgradeOf(server, ada, { 'x-forwarded-for': '203.0.113.7' })).status).to.equal(101);
      expect((await upgradeOf(server, ada, { 'x-forwarded-for': '203.0.113.8' })).status).to.equal(429);
    }));

  it('close a connection that is silent for too long, and keep one that answers pings', () =>
    limited({ IDLE_SECONDS: '8' }, async (server) => {
      const ada = await newUser(server.url);
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
      const people = await Promise.all([1, 2, 3, 4].map(() => newUser(server.url)));
      const [a, , , d] = await Promise.all(people.map((user) => user.connect()));
      const [, bob, cleo, dan] = people;
      if (!a || !d || !bob || !cleo || !dan) throw new Error('no connection');
      const userIds = [bob.id, cleo.id, dan.id];
      expect(await a.refused('newGroup', { groupName: 'Four', userIds })).to.equal('FORBIDDEN');
      const groupId = await newGroup(a, bob, cleo);
      expect(await a.refused('addUserInGroup', { groupId, userId: dan.id })).to.equal('FORBIDDEN');
      const { code } = (await a.done('createInvite', { groupId })).data;
      const refused = await d.call('joinByInvite', { code });
      expect(refused).to.include({ code: 'FORBIDDEN', message: 'A group has at most 3 members' });
      await a.done('removeUserFromGroup', { groupId, userId: cleo.id });
      await d.done('joinByInvite', { code });
      expect(await count(server, 'members')).to.equal(3);
    }));

  it('apply per user, and do not count groups that the user has left', () =>
    limited({ GROUPS_PER_USER: '2' }, async (server) => {
      const [ada, bob] = [await newUser(server.url), await newUser(server.url)];
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
  const logIn = (server: RunningServer, username: string, password: string, address?: string) =>
    http('POST', '/auth/login', {
      body: { username, password },
      url: server.url,
      ...(address && { headers: { 'x-forwarded-for': address } }),
    });

  it('answer 429 with Retry-After after many wrong passwords, also when they arrive at the same time', () =>
    limited({}, async (server) => {
      const [ada, bob] = [await newUser(server.url), await newUser(server.url)];
      const wrong = await Promise.all(Array.from({ length: 30 }, () => logIn(server, ada.username, 'wrong')));
      expect(wrong.filter(({ status }) => status === 401).length).to.equal(20);
      const blocked = await logIn(server, ada.username.toUpperCase(), ada.password);
      expect([blocked.status, blocked.body.code]).to.deep.equal([429, 'RATE_LIMITED']);
      expect(Number(blocked.headers.get('retry-after'))).to.be.within(1, 15 * 60);
      expect((await logIn(server, bob.username, bob.password)).status).to.equal(200);
      expect(await count(server, 'login')).to.equal(11);
    }));

  it('allow the owner to log in from another address during an attack', () =>
    limited({ LOGIN_FAILURES_PER_ACCOUNT: '5', TRUST_PROXY: 'loopback' }, async (server) => {
      const ada = await newUser(server.url);
      for (let n = 0; n < 6; n++) await logIn(server, ada.username, 'guess', '203.0.113.66');
      expect((await logIn(server, ada.username, ada.password, '203.0.113.66')).status).to.equal(429);
      expect((await logIn(server, ada.username, ada.password, '198.51.100.1')).status).to.equal(200);
    }));

  it('stop attempts on many accounts from one address', () =>
    limited({ LOGIN_FAILURES_PER_ADDRESS: '10', TRUST_PROXY: 'loopback' }, async (server) => {
      const statuses: number[] = [];
      for (let n = 0; n < 12; n++)
        statuses.push((await logIn(server, `nobody${n}`, 'guess', `2001:db8:5::${n}`)).status);
      expect(statuses).to.deep.equal([...Array(10).fill(401), 429, 429]);
    }));

  it('do not count correct logins, one after another or at the same time', () =>
    limited({ LOGIN_FAILURES_PER_ACCOUNT: '3', LOGIN_FAILURES_PER_ADDRESS: '3' }, async (server) => {
      const ada = await newUser(server.url);
      const statuses = new Set<number>();
      for (let n = 0; n < 6; n++) statuses.add((await logIn(server, ada.username, ada.password)).status);
      const atOnce = Array.from({ length: 20 }, () => logIn(server, ada.username, ada.password));
      for (const { status } of await Promise.all(atOnce)) statuses.add(status);
      expect([...statuses]).to.deep.equal([200]);
    }));

  it('end with their window', () =>
    limited({ LOGIN_FAILURES_PER_ACCOUNT: '1', LOGIN_WINDOW_SECONDS: '4' }, async (server) => {
      const ada = await newUser(server.url);
      await logIn(server, ada.username, 'wrong');
      const { status, headers } = await logIn(server, ada.username, ada.password);
      expect(status).to.equal(429);
      expect(Number(headers.get('retry-after'))).to.be.within(1, 4);
      await new Promise((resolve) => setTimeout(resolve, 4_100));
      expect((await logIn(server, ada.username, ada.password)).status).to.equal(200);
    }));

  it('count wrong current passwords too', () =>
    limited({}, async (server) => {
      const { token } = await newUser(server.url);
      const statuses = new Set<number>();
      for (let n = 0; n < 25; n++)
        statuses.add(
          (await http('DELETE', '/users/me', { token, body: { password: 'guess' }, url: server.url })).status,
        );
      expect([...statuses]).to.deep.equal([403, 429]);
    }));

  it('apply to accounts created from one address', () =>
    limited({ REGISTRATIONS_PER_ADDRESS: '2' }, async (server) => {
      await newUser(server.url);
      await newUser(server.url);
      const body = { email: 'one@more.example', username: 'one-more', password: 'correct horse battery' };
      const refused = await http('POST', '/auth/register', { body, url: server.url });
      expect(refused.status).to.equal(429);
      expect(Number(refused.headers.get('retry-after'))).to.be.within(3_500, 3_600);
      expect(await count(server, 'registration')).to.equal(1);
    }));

  describe('when clocks differ or are set', () => {
    const { now } = Date;
    const setClock = (hours: number) => {
      Date.now = () => now() + hours * 3_600_000;
    };
    afterEach(() => setClock(0));
    const limits = { ...defaultLimits, loginFailuresPerAccount: 2, loginWindowSeconds: 60 };
    const wrong = (node: AttemptLimits) => node.guess('clocks', '192.0.2.9', async () => false);
    const refused = (node: AttemptLimits) => wrong(node).catch(({ code, retryAfter }) => [code, retryAfter]);

    it('are shared by all nodes, by the clock of the database', async () => {
      for (const hours of [-2, 3]) {
        setClock(hours);
        expect(await wrong(createAttemptLimits(limits, database))).to.equal(false);
      }
      for (const hours of [-2, 0, 3]) {
        setClock(hours);
        const [code, seconds] = (await refused(createAttemptLimits(limits, database))) as [string, number];
        expect(code).to.equal('RATE_LIMITED');
        expect(seconds).to.be.within(1, 60);
      }
    });

    it('never last longer than a window', async () => {
      const node = createAttemptLimits(limits);
      for (let times = 0; times < 2; times++) await wrong(node);
      setClock(-2);
      expect(await refused(node)).to.deep.equal(['RATE_LIMITED', 60]);
    });
  });
});
