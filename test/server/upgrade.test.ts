import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import { WebSocket } from 'ws';
import { open, Refused } from '../support/client.ts';
import { http, JWT_SECRET, metric, newUser, newUsers, server, startServer } from '../support/harness.ts';
import { until } from '../support/until.ts';

const address = (path = '/') => server.url.replace('http', 'ws') + path;

/** Returns the status of a refused upgrade, or 101 for a successful one. */
async function statusOf(socket: WebSocket): Promise<number> {
  try {
    const client = await open(socket);
    await client.close();
    return 101;
  } catch (error) {
    if (error instanceof Refused) return error.status;
    throw error;
  }
}

const withHeader = (authorization: string) =>
  statusOf(new WebSocket(address(), { headers: { authorization } }));

/** Connects many times at once; resolves to the statuses, once all connections are closed again. */
async function storm(url: string, token: string, count: number) {
  const headers = { authorization: `Bearer ${token}` };
  const sockets = Array.from({ length: count }, () => new WebSocket(url.replace('http', 'ws'), { headers }));
  const answers = await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<string>((resolve) => {
          socket.on('error', () => {});
          socket.on('open', () => resolve('101'));
          socket.on('unexpected-response', (_, { statusCode, headers }) =>
            resolve(`${statusCode} ${headers['retry-after']}`),
          );
        }),
    ),
  );
  for (const socket of sockets) socket.terminate();
  return answers;
}

describe('a storm of connections', () => {
  it('is accepted at a limited rate, and refused connections get the time to wait', async () => {
    const target = await startServer({ RATE_LIMITS: 'on', UPGRADES_PER_SECOND: '20' });
    const user = await newUser();
    const refused = (await storm(target.url, user.token, 60)).filter((answer) => answer !== '101');
    expect(refused.length).to.be.within(15, 40);
    for (const answer of refused) expect(answer).to.match(/^503 [1-5]$/);
    await target.close();
  });

  for (const [what, limit] of [
    ['at the rate of one user', { USER_UPGRADES_PER_SECOND: '5' }],
    ['with as many connections as one user may have', { CONNECTIONS_PER_USER: '5' }],
  ] as const)
    it(`of one user ${what} does not affect the others`, async () => {
      const target = await startServer({ RATE_LIMITS: 'on', UPGRADES_PER_SECOND: '30', ...limit });
      const [ada, bob] = await newUsers(2);
      const answers = await storm(target.url, ada.token, 200);
      for (const answer of answers) expect(answer).to.match(/^(101|429 \d+)$/);
      expect(await storm(target.url, bob.token, 1)).to.deep.equal(['101']);
      await target.close();
    });
});

describe('the upgrade', () => {
  it('reads the token from the Authorization header, on / and on /ws', async () => {
    const { token } = await newUser();
    for (const path of ['/', '/ws'])
      expect(
        await statusOf(new WebSocket(address(path), { headers: { authorization: `Bearer ${token}` } })),
      ).to.equal(101);
    expect(await withHeader(`bearer ${token}`)).to.equal(101);
  });

  it('reads the token from the subprotocol and answers with auth', async () => {
    const { token } = await newUser();
    const client = await open(new WebSocket(address(), ['auth', token]));
    expect(client.socket.protocol).to.equal('auth');
    expect((await client.call('listLastMessage')).success).to.equal(true);
    await client.close();
  });

  it('reads the token from the query', async () => {
    const { token } = await newUser();
    expect(await statusOf(new WebSocket(address(`/?token=${token}`)))).to.equal(101);
    expect(await statusOf(new WebSocket(address(`/ws?room=1&token=${encodeURIComponent(token)}`)))).to.equal(
      101,
    );
  });

  it('uses the first place with a token', async () => {
    const { token } = await newUser();
    const headers = (authorization: string) => ({ headers: { authorization } });
    expect(await statusOf(new WebSocket(address(`/?token=${token}`), headers('Bearer wrong')))).to.equal(401);
    expect(await statusOf(new WebSocket(address('/?token=wrong'), headers(`Bearer ${token}`)))).to.equal(101);
    expect(await statusOf(new WebSocket(address(`/?token=${token}`), ['auth', 'wrong']))).to.equal(401);
    expect(await statusOf(new WebSocket(address('/?token=wrong'), ['auth', token]))).to.equal(101);
  });

  it('refuses a token that is missing or malformed', async () => {
    const { token } = await newUser();
    expect(await statusOf(new WebSocket(address()))).to.equal(401);
    expect(await statusOf(new WebSocket(address('/?token=')))).to.equal(401);
    expect(await statusOf(new WebSocket(address(), ['auth']))).to.equal(401);
    for (const header of [
      'Bearer',
      'Bearer x',
      `Basic ${token}`,
      token,
      `Bearer ${token}x`,
      `Bearer ${token} x`,
    ])
      expect(await withHeader(header), header).to.equal(401);
  });

  it('refuses a token that is expired, wrongly signed, or not signed by HS256', async () => {
    const { id } = await newUser();
    const claims = { sub: String(id), ver: 1 };
    const wrong = {
      expired: jwt.sign(claims, JWT_SECRET, { expiresIn: -1 }),
      'of another secret': jwt.sign(claims, 'another secret, thirty-two bytes or more', { expiresIn: 60 }),
      'of another algorithm': jwt.sign(claims, JWT_SECRET, { algorithm: 'HS512', expiresIn: 60 }),
      unsigned: jwt.sign(claims, '', { algorithm: 'none', expiresIn: 60 }),
      'without an end': jwt.sign(claims, JWT_SECRET),
      'not yet valid': jwt.sign({ ...claims, nbf: Date.now() / 1000 + 60 }, JWT_SECRET, { expiresIn: 120 }),
    };
    for (const [what, token] of Object.entries(wrong))
      expect(await withHeader(`Bearer ${token}`), what).to.equal(401);
    expect(await withHeader(`Bearer ${jwt.sign(claims, JWT_SECRET, { expiresIn: 60 })}`)).to.equal(101);
  });

  it('refuses a signed token whose claims are not of the expected types', async () => {
    const { id } = await newUser();
    const exp = Math.floor(Date.now() / 1000) + 60;
    const sub = String(id);
    const wrong = [
      { sub, exp },
      { ver: 1, exp },
      { sub, ver: '1', exp },
      { sub, ver: 1.5, exp },
      { sub, ver: 2 ** 40, exp },
      { sub, ver: null, exp },
      { sub, ver: 1, since: null, exp },
      { sub, ver: 1, since: '0', exp },
      { sub, ver: 1, since: 1.5, exp },
      { sub, ver: 1, since: -1, exp },
      { sub, ver: 1, since: 2 ** 53, exp },
      { sub, ver: { $gt: 0 }, exp },
      { sub: 'one', ver: 1, exp },
      { sub: '-1', ver: 1, exp },
      { sub: '0', ver: 1, exp },
      { sub: `${id}.0`, ver: 1, exp },
      { sub: '9'.repeat(16), ver: 1, exp },
      { sub: '9'.repeat(40), ver: 1, exp },
      { sub: `${id} or 1=1`, ver: 1, exp },
      { sub: '999999999', ver: 1, exp },
    ];
    for (const claims of wrong) {
      const token = jwt.sign(JSON.stringify(claims), JWT_SECRET); // as a string: the library checks nothing
      expect(await withHeader(`Bearer ${token}`), JSON.stringify(claims)).to.equal(401);
      expect((await http('PATCH', '/users/me', { token, body: {} })).status, JSON.stringify(claims)).to.equal(
        401,
      );
    }
  });

  it('refuses a revoked token', async () => {
    const [ada, bob] = [await newUser(), await newUser()];
    await http('PATCH', '/users/me', {
      token: ada.token,
      body: { password: 'another password', currentPassword: ada.password },
    });
    await http('DELETE', '/users/me', { token: bob.token, body: { password: bob.password } });
    await until(async () => (await metric(server, 'parley_connections')) === 0); // those of the tests before
    const outcome = 'parley_upgrades_total{outcome="UNAUTHORIZED"}';
    const before = await metric(server, outcome);
    for (const { token } of [ada, bob]) expect(await withHeader(`Bearer ${token}`)).to.equal(401);
    expect(await metric(server, outcome)).to.equal(before + 2);
    expect(await metric(server, 'parley_connections')).to.equal(0);
  });

  it('accepts no other path', async () => {
    const { token } = await newUser();
    expect(
      await statusOf(new WebSocket(address('/chat'), { headers: { authorization: `Bearer ${token}` } })),
    ).to.equal(404);
  });

  it('keeps all of many connections that open at the same time', async () => {
    const user = await newUser();
    for (let round = 0; round < 3; round++) {
      const clients = await Promise.all(Array.from({ length: 100 }, () => user.connect()));
      const replies = await Promise.all(clients.map((client) => client.call('listLastMessage')));
      expect(replies.every(({ success }) => success)).to.equal(true);
    }
  });
});

describe('a token that ends while its socket is open', () => {
  it('closes the socket with 4401 when it expires', async () => {
    const { id } = await newUser();
    const brief = jwt.sign({ ver: 1 }, JWT_SECRET, { subject: String(id), expiresIn: 1 });
    const client = await open(new WebSocket(address(`/?token=${brief}`)));
    expect(await client.closed).to.equal(4401);
  });

  it('closes every connection with 4401 when the password changes', async () => {
    const ada = await newUser();
    const clients = [await ada.connect(), await ada.connect()];
    const { body } = await http('PATCH', '/users/me', {
      token: ada.token,
      body: { password: 'another password', currentPassword: ada.password },
    });
    for (const client of clients) expect(await client.closed).to.equal(4401);
    expect(await withHeader(`Bearer ${body.token}`)).to.equal(101);
  });

  it('closes every connection with 4401 when the account is deleted, and none of other users', async () => {
    const [ada, bob] = [await newUser(), await newUser()];
    const [a, b] = [await ada.connect(), await bob.connect()];
    await http('DELETE', '/users/me', { token: ada.token, body: { password: ada.password } });
    expect(await a.closed).to.equal(4401);
    expect((await b.call('listLastMessage')).success).to.equal(true);
  });

  it('keeps connections open when only the username or the email changes', async () => {
    const ada = await newUser();
    const a = await ada.connect();
    await http('PATCH', '/users/me', { token: ada.token, body: { username: `${ada.username}-2` } });
    expect((await a.call('listLastMessage')).success).to.equal(true);
  });
});
