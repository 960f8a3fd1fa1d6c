import { expect } from 'chai';
import { WebSocket } from 'ws';
import { ParleyError, type State } from '../../src/client/index.ts';
import { connect } from '../../src/client/node.ts';
import {
  freePort,
  http,
  newClients,
  newUser,
  newUsers,
  server,
  startServer,
  typedClient,
} from '../support/harness.ts';
import { type Relay, startRelay } from '../support/relay.ts';

/** Resolves to the code a promise is rejected with. */
const refusal = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error) => (error instanceof ParleyError ? error.code : String(error)),
  );

/** Collects the states of a client from now on. */
function statesOf(client: ReturnType<typeof typedClient>): State[] {
  const states: State[] = [];
  client.on('state', (state) => states.push(state));
  return states;
}

describe('the connection of the typed client', () => {
  let relay: Relay;
  before(async () => {
    relay = await startRelay(server.url);
  });
  after(() => relay.cut());

  it('is open when it is online, and knows its user', async () => {
    const user = await newUser();
    const client = typedClient(user, { device: 'laptop' });
    const states = statesOf(client);
    expect(client.state).to.equal('connecting');
    await client.online();
    expect(states).to.deep.equal(['online']);
    expect(client.self).to.deep.equal({ userId: user.id, username: user.username });
    const [session] = (await client.call('listSessions')).data;
    expect(session?.device).to.equal('laptop');
  });

  it('accepts the address in every form', async () => {
    const user = await newUser();
    const spellings = [server.url, `${server.url}/`, server.url.replace('http', 'ws'), `${server.url}/ws`];
    for (const url of spellings) await typedClient(user, { url }).online();
    expect(() => connect({ url: 'nonsense', token: '' })).to.throw(/Invalid URL/);
  });

  it('works with the WebSocket of the platform, which cannot set headers', async () => {
    const client = typedClient(await newUser(), {
      open: (url, token) => new WebSocket(url, ['auth', token]),
    });
    expect((await client.call('newGroup', { groupName: 'Climbers' })).groupId).to.be.a('number');
  });

  it('closes when the token is refused, and rejects all waiting calls', async () => {
    const client = typedClient({ token: 'nonsense' });
    const states = statesOf(client);
    const call = client.call('listLastMessage');
    expect(await refusal(call)).to.equal('UNAUTHORIZED');
    expect(await refusal(client.online())).to.equal('UNAUTHORIZED');
    expect(await refusal(client.call('listLastMessage'))).to.equal('UNAUTHORIZED');
    expect(states).to.deep.equal(['closed']);
    const iterate = async () => {
      for await (const _ of client) return;
    };
    expect(await refusal(iterate())).to.equal('UNAUTHORIZED');
  });

  it('requests a fresh token when the last one is refused, and continues', async () => {
    const user = await newUser();
    const tokens = ['nonsense', user.token];
    const client = typedClient(user, { token: async () => tokens.shift() ?? '' });
    await client.online();
    expect(tokens).to.deep.equal([]);
  });

  it('says why it cannot connect, after each attempt', async () => {
    const user = await newUser();
    const url = `http://127.0.0.1:${await freePort()}`;
    for (const [options, message] of [
      [{ url }, /^The server cannot be reached: /],
      [{ open: () => new WebSocket(url) }, /^The server answers, but not over the WebSocket$/],
    ] as const) {
      const client = typedClient(user, options);
      for (let attempt = 0; attempt < 2; attempt++) {
        const error = await new Promise<Error>((resolve) => client.on('connectError', resolve));
        expect(error).to.be.instanceOf(ParleyError).with.property('code', 'UNAVAILABLE');
        expect(error.message).to.match(message);
      }
      expect(client.state).to.equal('connecting');
      client.close();
    }
  });

  it('retries when a fresh token is temporarily unavailable, and stops when there is none', async () => {
    const user = await newUser();
    let requests = 0;
    const client = typedClient(user, {
      token: async () => {
        if (++requests === 1) throw new TypeError('fetch failed');
        return user.token;
      },
    });
    const errors: string[] = [];
    client.on('connectError', ({ message }) => errors.push(message));
    await client.online();
    expect(errors).to.deep.equal(['fetch failed']);
    const over = typedClient(user, {
      token: () => Promise.reject(new ParleyError('UNAUTHORIZED', 'Log in again')),
    });
    expect(await refusal(over.online())).to.equal('UNAUTHORIZED');
  });

  it('survives the end of its token, and closes when the password changes', async function () {
    this.timeout(60_000);
    const short = await startServer({ JWT_EXPIRES_IN: '1s' });
    const user = await newUser(short.url);
    const login = async () => {
      const body = { username: user.username, password: user.password };
      return (await http('POST', '/auth/login', { body, url: short.url })).body.token as string;
    };
    let logins = 0;
    const token = () => {
      logins++;
      return login();
    };
    const client = typedClient(user, { url: short.url, token });
    for (let seq = 1; seq <= 6; seq++) {
      const sent = await client.call('privateMessage', { receiverId: user.id, content: `${seq}` });
      expect(sent.seq).to.equal(seq);
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
    expect(logins).to.be.at.least(2);

    const fixed = typedClient(user, { url: short.url, token: await login() });
    await fixed.online();
    const closed = new Promise((resolve) =>
      fixed.on('state', (state) => state === 'closed' && resolve(state)),
    );
    await closed;
    expect(await refusal(fixed.call('listLastMessage'))).to.equal('UNAUTHORIZED');
    client.close();
    await short.close();
  });

  it('reconnects by itself after it breaks, after silence, and after an outage of the server', async () => {
    const user = await newUser();
    const client = typedClient(user, { url: relay.url, heartbeat: 100 });
    const states = statesOf(client);
    await client.online();
    relay.drop();
    await client.call('listLastMessage');
    await client.online();
    relay.hold(); // half open: nothing is received, and no close arrives
    const waiting = client.call('listLastMessage');
    await new Promise<void>((resolve) => {
      const stop = client.on('state', (state) => {
        if (state !== 'offline') return;
        stop();
        resolve();
      });
    });
    relay.release();
    await waiting;
    await client.online();
    await relay.cut();
    const patient = client.call('listLastMessage');
    await relay.restore();
    await patient;
    await client.online();
    expect(states).to.deep.equal(['online', 'offline', 'online', 'offline', 'online', 'offline', 'online']);
  });

  it('distinguishes an idle connection from a dead one', async () => {
    const client = typedClient(await newUser(), { heartbeat: 50 });
    await client.online();
    const states = statesOf(client);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(states).to.deep.equal([]);
  });

  it('ends with close: waiting calls reject, and no event follows', async () => {
    const [ada, bob] = await newClients(2);
    const client = typedClient(bob);
    await client.online();
    const received: string[] = [];
    client.on('privateMessage', ({ message }) => received.push(message));
    const iterated: string[] = [];
    const iteration = (async () => {
      for await (const push of client) iterated.push(push.type);
    })();
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'before' });
    await bob.client.push('privateMessage');
    await client.call('ping');
    const states = statesOf(client);
    const call = client.call('listLastMessage');
    client.close();
    expect(states).to.deep.equal(['closed']);
    expect(await refusal(call)).to.equal('CLOSED');
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'after' });
    await bob.client.push('privateMessage');
    await iteration;
    expect([received, iterated]).to.deep.equal([['before'], ['privateMessage']]);
    expect(await refusal(client.call('ping'))).to.equal('CLOSED');
    client.close();
  });

  it('renews its presence subscriptions', async () => {
    const [ada, bob] = await newUsers(2);
    const client = typedClient(ada, { url: relay.url });
    const { data } = await client.call('subscribePresence', { userIds: [bob.id] });
    expect(data[0]?.online).to.equal(false);
    relay.drop();
    const device = await bob.connect();
    const online = new Promise((resolve) =>
      client.on('subscribePresence', ({ userId, online }) => online && resolve(userId)),
    );
    expect(await online).to.equal(bob.id);
    await device.close();
  });
});
