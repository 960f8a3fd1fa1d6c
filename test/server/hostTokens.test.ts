import { createSecretKey } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { exportSPKI, importJWK, type JWTPayload, SignJWT } from 'jose';
import { WebSocket } from 'ws';
import { UsageError } from '../../src/admin/define.ts';
import { StartError } from '../../src/protocol/errors.ts';
import { admin } from '../support/admin.ts';
import type { Client } from '../support/client.ts';
import { open, Refused } from '../support/client.ts';
import {
  connectAs,
  database,
  http,
  JWT_SECRET,
  newKey,
  newUser,
  type RunningServer,
  startServer,
  temporaryFolder,
  typedClient,
} from '../support/harness.ts';
import {
  AUDIENCE,
  type Claims,
  claimsOf,
  type HostKey,
  hostKey,
  hostSettings,
  type JwksServer,
  startJwksServer,
} from '../support/hostTokens.ts';
import { jumpAhead } from '../support/time.ts';
import { until } from '../support/until.ts';

const AUTH_SECRET = 'what the host signs with, 32 bytes';

let made = 0;
const newSub = () => `host|${process.pid}-${++made}`;
const seconds = () => Math.floor(Date.now() / 1000);
const accountOf = (externalId: string) => database.users.findOne({ where: { externalId } });

describe('tokens of a host', () => {
  let jwks: JwksServer;
  let key: HostKey;
  let rsa: HostKey;
  let ed: HostKey;
  let one: RunningServer;
  let two: RunningServer;

  before(async () => {
    [key, rsa, ed] = await Promise.all([hostKey('ec'), hostKey('rsa', 'RS256'), hostKey('ed', 'EdDSA')]);
    jwks = await startJwksServer(key, rsa, ed);
    [one, two] = await Promise.all([startServer(hostSettings(jwks)), startServer(hostSettings(jwks))]);
  });
  after(async () => {
    await Promise.all([one.close(), two.close()]);
    await jwks.close();
  });

  const connect = (token: string, { url }: RunningServer = one) => connectAs(token, url);
  /** Returns the status with which an upgrade is refused; 101 if it is not. */
  const statusOf = (token: string, at?: RunningServer) =>
    connect(token, at).then(
      () => 101,
      (error) => (error instanceof Refused ? error.status : Promise.reject(error)),
    );
  const profileOf = async (client: Client) => (await client.done('getProfile')).data;

  it('are accepted in the three places of the upgrade, and by HTTP calls', async () => {
    const token = await key.sign({ sub: newSub() });
    const address = one.url.replace('http', 'ws');
    const ids: number[] = [];
    for (const socketOf of [
      () => new WebSocket(address, { headers: { authorization: `Bearer ${token}` } }),
      () => new WebSocket(address, ['auth', token]),
      () => new WebSocket(`${address}?token=${token}`),
    ]) {
      const client = await open(socketOf());
      ids.push((await profileOf(client)).userId);
      await client.close();
    }
    expect(new Set(ids).size).to.equal(1);
    const username = `renamed${process.pid}`;
    const reply = await http('PATCH', '/users/me', { token, url: one.url, body: { username } });
    expect([reply.status, reply.body.user]).to.deep.equal([
      200,
      { ...reply.body.user, id: ids[0], username, email: null },
    ]);
  });

  it('are accepted with each default algorithm, and beside tokens of the server itself', async () => {
    for (const { sign } of [key, rsa, ed])
      expect(await statusOf(await sign({ sub: newSub() }))).to.equal(101);
    expect(await statusOf((await newUser()).token)).to.equal(101);
  });

  it('are accepted without a kid, and with one audience of several', async () => {
    const sub = newSub();
    expect(await statusOf(await key.sign({ sub, aud: ['other', AUDIENCE] }))).to.equal(101);
    const other = await hostKey('ec-two');
    jwks.publish(key, rsa, ed, other);
    const three = await startServer(hostSettings(jwks));
    try {
      for (const { sign } of [key, other])
        expect(await statusOf(await sign({ sub }, { kid: undefined }), three)).to.equal(101);
    } finally {
      await three.close();
    }
  });

  it('are accepted within 30 seconds of leeway', async () => {
    const now = seconds();
    for (const claims of [{ exp: now - 20 }, { nbf: now + 20 }, { iat: now + 20 }])
      expect(await statusOf(await key.sign({ sub: newSub(), ...claims })), JSON.stringify(claims)).to.equal(
        101,
      );
  });

  describe('are refused', () => {
    const sub = 'somebody';
    /** Signs with HS256. */
    const withSecret = (secret: string, header: object = {}, claims: Claims = { sub }) =>
      new SignJWT(claimsOf(claims))
        .setProtectedHeader({ alg: 'HS256', ...header })
        .sign(createSecretKey(Buffer.from(secret)));
    const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
    const now = seconds();
    const wrong: Record<string, () => Promise<string> | string> = {
      'with the algorithm none': () => `${encoded({ alg: 'none' })}.${encoded(claimsOf({ sub }))}.`,
      'with the algorithm none and a signature': async () => {
        const [, payload, signature] = (await key.sign({ sub })).split('.');
        return `${encoded({ alg: 'none', kid: 'ec' })}.${payload}.${signature}`;
      },
      'with an algorithm that is not configured': async () => (await hostKey('rsa', 'PS256')).sign({ sub }),
      'with the public key as the secret of HS256': async () =>
        withSecret(await exportSPKI((await importJWK(rsa.publicKey, 'RS256')) as CryptoKey), { kid: 'rsa' }),
      'with the JWK as the secret of HS256': () => withSecret(JSON.stringify(rsa.publicKey), { kid: 'rsa' }),
      'signed with a secret while a JWKS is configured': () => withSecret(AUTH_SECRET),
      'signed with the secret of the server, without its claims': () => withSecret(JWT_SECRET),
      'with the key of another under a known kid': async () => (await hostKey('ec')).sign({ sub }),
      'with an unknown kid': () => key.sign({ sub }, { kid: 'unknown' }),
      'with the kid of a key of another type': () => key.sign({ sub }, { kid: 'rsa' }),
      'with their own key in the header': async () => {
        const { publicKey, sign } = await hostKey('own');
        return sign({ sub }, { jwk: publicKey });
      },
      'with the address of a key in the header': () => key.sign({ sub }, { jku: jwks.url }),
      'with the address of a certificate in the header': () => key.sign({ sub }, { x5u: jwks.url }),
      'with a critical header': () => {
        const { sign } = key;
        return sign({ sub }).then((token) => {
          const [, payload, signature] = token.split('.');
          return `${encoded({ alg: 'ES256', kid: 'ec', crit: ['own'], own: 1 })}.${payload}.${signature}`;
        });
      },
      'with a changed payload': async () => {
        const [header, , signature] = (await key.sign({ sub })).split('.');
        return `${header}.${encoded(claimsOf({ sub: 'other' }))}.${signature}`;
      },
      'of another issuer': () => key.sign({ sub, iss: 'https://id.example.com' }),
      'without an issuer': () => key.sign({ sub, iss: undefined }),
      'for another audience': () => key.sign({ sub, aud: 'other' }),
      'without an audience': () => key.sign({ sub, aud: undefined }),
      'after their exp and the leeway': () => key.sign({ sub, exp: now - 31 }),
      'without exp': () => key.sign({ sub, exp: undefined }),
      'before their nbf and the leeway': () => key.sign({ sub, nbf: now + 3600 }),
      'issued in the future': () => key.sign({ sub, iat: now + 3600 }),
      'without iat': () => key.sign({ sub, iat: undefined }),
      'with an iat that is not a number': () => key.sign({ sub, iat: `${now}` }),
      'without sub': () => key.sign({}),
      'with an empty sub': () => key.sign({ sub: '' }),
      'with a sub that is not a string': () => key.sign({ sub: 7 }),
      'with a sub of 256 characters': () => key.sign({ sub: 'x'.repeat(256) }),
      'with a NUL in sub': () => key.sign({ sub: 'a\0b' }),
      'with half a character in sub': () => key.sign({ sub: 'a\ud800' }),
    };
    for (const [name, token] of Object.entries(wrong))
      it(name, async () => {
        const value = await token();
        expect(await statusOf(value)).to.equal(401);
        const reply = await http('PATCH', '/users/me', { token: value, url: one.url, body: {} });
        expect([reply.status, reply.body.code]).to.deep.equal([401, 'UNAUTHORIZED']);
        expect(await accountOf(sub)).to.equal(null);
      });

    it('where none are configured', async () => {
      const plain = await startServer();
      try {
        expect(await statusOf(await key.sign({ sub }), plain)).to.equal(401);
      } finally {
        await plain.close();
      }
    });
  });

  describe('signed with a secret', () => {
    const sign = (claims: JWTPayload, secret = AUTH_SECRET, alg = 'HS256') =>
      new SignJWT(claims).setProtectedHeader({ alg }).sign(createSecretKey(Buffer.from(secret)));
    let plain: RunningServer;
    before(async () => {
      plain = await startServer({ AUTH_SECRET, AUTH_USER_CLAIM: 'uid' });
    });
    after(() => plain.close());

    it('are known by the configured claim, and need neither issuer nor audience', async () => {
      const uid = newSub();
      const times = { iat: seconds(), exp: seconds() + 60 };
      expect(await statusOf(await sign({ uid, ...times }), plain)).to.equal(101);
      expect(await accountOf(uid)).not.to.equal(null);
      expect(await statusOf(await sign({ sub: newSub(), ...times }), plain)).to.equal(401);
    });

    it('are refused with another secret or algorithm, or a key', async () => {
      const claims = { uid: newSub(), ...claimsOf({}) };
      expect(await statusOf(await sign(claims, `${AUTH_SECRET}!`), plain)).to.equal(401);
      expect(await statusOf(await sign(claims, AUTH_SECRET, 'HS512'), plain)).to.equal(401);
      expect(await statusOf(await key.sign(claims), plain)).to.equal(401);
      expect(await accountOf(claims.uid)).to.equal(null);
    });

    it('need another secret than the one that the server has generated', async () => {
      const folder = await temporaryFolder();
      await writeFile(join(folder, 'jwt-secret'), AUTH_SECRET);
      const error = await startServer({ AUTH_SECRET, JWT_SECRET: '', DATA_DIR: folder }).catch(
        (thrown) => thrown,
      );
      expect(error).to.be.instanceOf(StartError);
      expect(error.message).to.match(/^AUTH_SECRET is the secret in DATA_DIR; expected one that/);
    });

    it('are not tokens of the server, whatever their claims', async () => {
      const { id } = await newUser();
      const token = await sign({ ...claimsOf({ sub: `${id}` }), ver: 1, since: 0 });
      expect(await statusOf(token, plain)).to.equal(401);
      expect(await statusOf((await newUser()).token, plain)).to.equal(101);
    });
  });

  describe('make an account', () => {
    it('once, when many connections to two nodes see the user for the first time', async () => {
      const sub = newSub();
      const username = `once${process.pid}`;
      const token = await key.sign({ sub, preferred_username: username });
      const clients = await Promise.all(
        Array.from({ length: 20 }, (_, index) => connect(token, index % 2 === 0 ? one : two)),
      );
      const ids = await Promise.all(clients.map(async (client) => (await profileOf(client)).userId));
      expect(new Set(ids).size).to.equal(1);
      expect(await database.users.count({ where: { externalId: sub } })).to.equal(1);
      expect((await accountOf(sub))?.username).to.equal(username);
    });

    it('with the profile of the claims', async () => {
      const sub = newSub();
      const email = `${process.pid}@host.example`;
      const picture = 'https://id.example.com/ada.png';
      const claims = { preferred_username: `ada-of-host-${process.pid}`, name: 'Ada Lovelace', picture };
      const client = await connect(await key.sign({ sub, ...claims, email, email_verified: true }));
      const { userId, username, displayName, avatar, email: own } = await profileOf(client);
      expect({ username, displayName, avatar, own }).to.deep.equal({
        ...{
          username: `ada-of-host-${process.pid}`,
          displayName: 'Ada Lovelace',
          avatar: picture,
          own: email,
        },
      });
      const other = await connect(await key.sign({ sub: newSub() }));
      const { data } = await other.done('searchUsers', { query: 'ada love' });
      expect(data.map((found: { userId: number }) => found.userId)).to.include(userId);
    });

    it('with the identifier at the host, which only that user sees', async () => {
      const sub = newSub();
      const client = await connect(await key.sign({ sub }));
      const { userId, externalId } = await profileOf(client);
      expect(externalId).to.equal(sub);
      const other = await newUser(one.url);
      const connection = await other.connect();
      expect((await connection.done('getProfile', { userId })).data).not.to.have.property('externalId');
      expect((await connection.done('getProfile')).data).not.to.have.property('externalId');
    });

    it('with a name of its own if there are no claims, and without an email that is not verified', async () => {
      for (const email_verified of [false, 'true', undefined]) {
        const client = await connect(
          await key.sign({ sub: newSub(), email: 'eve@host.example', email_verified }),
        );
        const { username, displayName, avatar, email } = await profileOf(client);
        expect(username).to.match(/^user-\d+$/);
        expect([displayName, avatar, email]).to.deep.equal([null, null, null]);
      }
    });

    it('with another username if it is taken, and without an email that another account has', async () => {
      const { username, email, id } = await newUser();
      const claims = { preferred_username: username.toUpperCase(), email: email.toUpperCase() };
      const names: string[] = [];
      for (let count = 0; count < 4; count++) {
        const sub = newSub();
        const client = await connect(await key.sign({ sub, ...claims, email_verified: true }));
        const profile = await profileOf(client);
        expect(profile.userId).not.to.equal(id);
        expect(profile.email).to.equal(null);
        names.push(profile.username);
      }
      const upper = username.toUpperCase();
      expect(names.slice(0, 2)).to.deep.equal([`${upper}-2`, `${upper}-3`]);
      expect(new Set(names).size).to.equal(4);
    });

    it('that has no password: login, change of password and deletion are refused like a wrong password', async () => {
      const sub = newSub();
      const email = `login${process.pid}@host.example`;
      const token = await key.sign({
        sub,
        preferred_username: `login${process.pid}`,
        email,
        email_verified: true,
      });
      await connect(token);
      const password = 'correct horse battery';
      const login = await http('POST', '/auth/login', { body: { email, password }, url: one.url });
      const unknown = await http('POST', '/auth/login', { body: { email: 'nobody@x.example', password } });
      expect([login.status, login.body]).to.deep.equal([401, unknown.body]);
      const options = { token, url: one.url };
      const body = { password: 'another horse', currentPassword: password };
      const change = await http('PATCH', '/users/me', { ...options, body });
      const deletion = await http('DELETE', '/users/me', { ...options, body: { password } });
      const { token: own } = await newUser();
      const wrong = await http('DELETE', '/users/me', { token: own, body: { password: 'wrong horse' } });
      for (const { status, body } of [change, deletion])
        expect([status, body]).to.deep.equal([403, wrong.body]);
      expect((await accountOf(sub))?.passwordHash).to.equal(null);
    });
  });

  describe('with other claims than the last one', () => {
    it('change the profile, and push the change to those who know the user', async () => {
      const sub = newSub();
      const first = `first${process.pid}`;
      const client = await connect(await key.sign({ sub, preferred_username: first, name: 'First' }));
      const bob = await newUser();
      const friend = await bob.connect(one.url);
      await client.done('privateMessage', { receiverId: bob.id, content: 'Hello' });
      await friend.push('privateMessage');
      const claims = { preferred_username: first, name: 'Second', picture: 'second.png' };
      await connect(await key.sign({ sub, ...claims }));
      const pushed = await friend.push('updateProfile');
      expect(pushed.params).to.include({ username: first, displayName: 'Second', avatar: 'second.png' });
      await connect(await key.sign({ sub, ...claims, preferred_username: `second${process.pid}` }));
      const renamed = await friend.push('updateProfile');
      expect(renamed.params).to.include({ username: `second${process.pid}`, displayName: 'Second' });
      expect(renamed.params.version).to.equal((await profileOf(client)).version);
      expect(await profileOf(client)).to.include({ username: `second${process.pid}`, avatar: 'second.png' });
    });

    it('take a free username and a free email only', async () => {
      const sub = newSub();
      const bob = await newUser();
      const email = `free${process.pid}@host.example`;
      await connect(
        await key.sign({ sub, preferred_username: `free${process.pid}`, email, email_verified: true }),
      );
      expect((await accountOf(sub))?.email).to.equal(email);
      const taken = { preferred_username: bob.username, email: bob.email, email_verified: true };
      const client = await connect(await key.sign({ sub, ...taken }));
      const { username, email: own } = await profileOf(client);
      expect([username, own]).to.deep.equal([`${bob.username}-2`, null]);
    });

    it('leave what the user has changed here, until it changes at the host', async () => {
      const sub = newSub();
      const client = await connect(await key.sign({ sub, name: 'From the host', picture: 'one.png' }));
      await client.done('updateProfile', { displayName: 'Chosen here', avatar: null });
      const again = await connect(await key.sign({ sub, name: 'From the host' }));
      expect(await profileOf(again)).to.include({ displayName: 'Chosen here', avatar: null });
      const later = await connect(await key.sign({ sub, name: 'New at the host', picture: 'one.png' }));
      expect(await profileOf(later)).to.include({ displayName: 'New at the host', avatar: null });
    });

    it('change nothing if they are older', async () => {
      const sub = newSub();
      await connect(await key.sign({ sub, name: 'New' }));
      const client = await connect(await key.sign({ sub, name: 'Old', iat: seconds() - 60 }));
      expect((await profileOf(client)).displayName).to.equal('New');
    });
  });

  describe('after a revocation', () => {
    /** A user with connections to both nodes by different tokens, the second of which was issued a minute ago. */
    async function connected() {
      const sub = newSub();
      const [token, older] = await Promise.all([
        key.sign({ sub, iat: seconds() - 30 }),
        key.sign({ sub, iat: seconds() - 60 }),
      ]);
      const clients = await Promise.all([connect(token), connect(older, two)]);
      const { userId } = await profileOf(clients[0]);
      return { sub, token, older, clients, userId };
    }
    /** A token that is issued after everything so far, by the clock of the database, in whole seconds. */
    const fresh = (sub: string) => key.sign({ sub, iat: seconds() + 2 });

    it('by endSession are refused on both nodes, and others of the user are not', async () => {
      const { sub, token, older, clients } = await connected();
      await clients[1].done('listSessions'); // its session is recorded by now
      const { data } = await clients[0].done('listSessions', { live: true });
      const other = data.find(({ current }: { current: boolean }) => !current);
      await clients[0].done('endSession', { sessionId: other.sessionId });
      expect(await clients[1].closed).to.equal(4401);
      for (const node of [one, two]) {
        expect(await statusOf(older, node)).to.equal(401);
        expect(await statusOf(token, node)).to.equal(101);
        expect(await statusOf(await fresh(sub), node)).to.equal(101);
      }
    });

    it('by endOtherSessions are refused on both nodes, except that of the caller and newer ones', async () => {
      const { sub, token, older, clients } = await connected();
      await clients[0].done('endOtherSessions');
      expect(await clients[1].closed).to.equal(4401);
      for (const node of [one, two]) {
        expect(await statusOf(older, node)).to.equal(401);
        expect(await statusOf(await key.sign({ sub, iat: seconds() - 10 }), node)).to.equal(401);
        expect(await statusOf(token, node)).to.equal(101);
        expect(await statusOf(await fresh(sub), node)).to.equal(101);
      }
    });

    it('by the operator are refused on both nodes until newer ones are issued', async () => {
      const { sub, token, older, clients, userId } = await connected();
      await admin('user', 'disable', `${userId}`);
      for (const client of clients) expect(await client.closed).to.equal(4401);
      for (const node of [one, two])
        for (const value of [token, older, await fresh(sub)])
          expect(await statusOf(value, node)).to.equal(401);
      const reply = await http('PATCH', '/users/me', { token, url: two.url, body: {} });
      expect(reply.status).to.equal(401);
      await admin('user', 'enable', sub);
      for (const node of [one, two]) {
        for (const value of [token, older]) expect(await statusOf(value, node)).to.equal(401);
        expect(await statusOf(await fresh(sub), node)).to.equal(101);
      }
      const client = await connect(await fresh(sub));
      await admin('user', 'end-sessions', sub);
      expect(await client.closed).to.equal(4401);
    });

    it('by the backend are refused on both nodes until newer ones are issued', async () => {
      const { sub, token, older, clients } = await connected();
      const service = await connectAs((await newKey('users')).key, one.url);
      await service.done('revokeTokens', { users: [{ externalId: sub }] });
      for (const client of clients) expect(await client.closed).to.equal(4401);
      for (const node of [one, two]) {
        for (const value of [token, older]) expect(await statusOf(value, node)).to.equal(401);
        expect(await statusOf(await fresh(sub), node)).to.equal(101);
      }
    });

    it('by the deletion of the account do not bring it back, until it is erased', async () => {
      const { sub, userId, clients } = await connected();
      await admin('user', 'delete', sub, '--yes');
      for (const client of clients) expect(await client.closed).to.equal(4401);
      for (const node of [one, two]) expect(await statusOf(await fresh(sub), node)).to.equal(401);
      const { username, hostClaims } = (await accountOf(sub)) ?? {};
      expect([username, hostClaims]).to.deep.equal([null, null]);
      expect(await database.users.count({ where: { externalId: sub } })).to.equal(1);
      await admin('user', 'erase', `${userId}`, '--yes');
      const client = await connect(await fresh(sub));
      expect((await profileOf(client)).userId).to.be.above(userId);
    });
  });

  it('belong to accounts that operators find by the identifier at the host, export, and give no password', async () => {
    const sub = newSub();
    const client = await connect(await key.sign({ sub, name: 'Ada' }));
    const { userId } = await profileOf(client);
    expect(await admin('user', 'show', sub)).to.include({ id: userId, externalId: sub });
    const { account } = await admin('user', 'export', sub);
    expect(account.externalId).to.equal(sub);
    expect(account.hostClaims).to.include({ displayName: 'Ada' });
    const refusal = await admin('user', 'reset-password', sub).catch((error) => error);
    expect(refusal).to.be.instanceOf(UsageError);
    expect((await accountOf(sub))?.passwordHash).to.equal(null);
  });

  it('close their connections with 4401 at exp, and the token function of the client supplies the next', async () => {
    const sub = newSub();
    const token = await key.sign({ sub, exp: seconds() + 3 });
    const raw = await connect(token);
    let calls = 0;
    const client = typedClient(
      { token },
      { url: one.url, token: () => (calls++ === 0 ? token : key.sign({ sub })) },
    );
    const profile = await client.call('getProfile', {});
    expect(await raw.closed).to.equal(4401);
    await until(() => calls === 2);
    const later = await client.call('getProfile', {});
    expect(later.data.userId).to.equal(profile.data.userId);
  });

  it('of a connection that began after exp close it at the end of the leeway', async () => {
    const client = await connect(await key.sign({ sub: newSub(), exp: seconds() - 28 }));
    expect(await client.closed).to.equal(4401);
  });

  describe('whose keys change', () => {
    it('are refused with 503 as long as the keys cannot be read, which are read again after 30 seconds', async () => {
      const first = await hostKey('first');
      const keys = await startJwksServer(first);
      keys.answer(500, 'not yet');
      const node = await startServer(hostSettings(keys));
      let restore = () => {};
      try {
        const token = await first.sign({ sub: newSub() });
        expect(await statusOf(token, node)).to.equal(503);
        const reply = await http('PATCH', '/users/me', { token, url: node.url, body: {} });
        expect([reply.status, reply.headers.get('retry-after')]).to.deep.equal([503, '30']);
        expect(await statusOf(await first.sign({ sub: newSub(), iss: 'other' }), node)).to.equal(401);
        expect(await statusOf((await newUser()).token, node)).to.equal(101);
        expect(keys.requests).to.equal(1);
        keys.publish(first);
        restore = jumpAhead(30_000);
        expect(await statusOf(token, node)).to.equal(101);
        expect(keys.requests).to.equal(2);
      } finally {
        restore();
        await node.close();
        await keys.close();
      }
    });

    it('are accepted with a new key without a restart, and connections with the old key stay', async () => {
      const [old, next] = await Promise.all([hostKey('old'), hostKey('next')]);
      const keys = await startJwksServer(old);
      const rotating = await startServer(hostSettings(keys));
      let restore = () => {};
      try {
        const client = await connect(await old.sign({ sub: newSub() }), rotating);
        keys.publish(next);
        expect(await statusOf(await next.sign({ sub: newSub() }), rotating)).to.equal(401);
        expect(keys.requests).to.equal(1);
        restore = jumpAhead(30_000);
        expect(await statusOf(await next.sign({ sub: newSub() }), rotating)).to.equal(101);
        expect(await statusOf(await old.sign({ sub: newSub() }), rotating)).to.equal(401);
        expect(keys.requests).to.equal(2);
        await client.done('ping');
      } finally {
        restore();
        await rotating.close();
        await keys.close();
      }
    });
  });
});
