import { mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { Client } from '../../src/client/Client.ts';
import type { Push } from '../../src/client/index.ts';
import { FakeSocket } from './client-sockets.ts';

const page = { data: [], more: false, nextCursor: 'first', time: '2026-01-01T00:00:00Z' };
const profile = { data: { userId: 1, username: 'Ada' } };

/** Runs everything that waits only for the event loop. */
async function turns(): Promise<void> {
  for (let count = 0; count < 5; count++) await turn();
}

/** Creates a client, and keeps its sockets and the subscriptions to its events. */
function clientOf() {
  const sockets: FakeSocket[] = [];
  const client = new Client({
    url: 'http://localhost',
    token: 'token',
    open() {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
  });
  const subscriptions = new Set<object>();
  const { on } = client;
  mock.method(client, 'on', (...args: Parameters<Client['on']>) => {
    const stop = on.apply(client, args);
    subscriptions.add(stop);
    return () => {
      subscriptions.delete(stop);
      stop();
    };
  });
  const last = () => sockets.at(-1) as FakeSocket;
  /** Opens the next socket. */
  const reopen = async () => {
    await turns();
    mock.timers.tick(1_000);
    await turns();
    last().open();
    await turns();
  };
  return { client, sockets, last, reopen, subscriptions };
}

/** Creates a client that is online. */
async function onlineClient() {
  const all = clientOf();
  await all.reopen();
  all.last().answer('getProfile', profile);
  all.last().answer('sync', page);
  await turns();
  expect(all.client.state).to.equal('online');
  return all;
}

const message = (seq: number) => ({
  type: 'messageInGroup',
  params: { groupId: 7, seq, senderId: 2, createdAt: '2026-01-01T00:00:00Z', message: `${seq}` },
});

describe('the typed client on sockets of the test', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));

  it('reads its user and a cursor before it sends anything else', async () => {
    const { client, last, reopen } = clientOf();
    const call = client.call('listGroups');
    await reopen();
    expect(last().types).to.deep.equal(['getProfile', 'sync']);
    last().answer('getProfile', profile);
    last().answer('sync', page);
    await turns();
    last().answer('listGroups', { data: [] });
    expect(await call).to.deep.equal({ data: [] });
    expect(client.self).to.deep.equal({ userId: 1, username: 'Ada' });
    client.close();
  });

  it('waits for the replies to interrupted requests before it catches up', async () => {
    const { client, last, reopen } = await onlineClient();
    const call = client.call('markRead', { groupId: 7, seq: 1 });
    last().end();
    await reopen();
    expect(last().types).to.deep.equal(['markRead']);
    last().answer('markRead', { data: {} });
    await call;
    await turns();
    expect(last().types).to.deep.equal(['markRead', 'sync']);
    expect(last().sent.at(-1)?.params).to.include({ cursor: 'first' });
    expect(client.state).to.equal('offline');
    last().answer('sync', page);
    await turns();
    expect(client.state).to.equal('online');
    client.close();
  });

  it('does not send a command again that must not be sent twice', async () => {
    const { client, last, reopen } = await onlineClient();
    const call = client.call('leaveGroup', { groupId: 7 }).catch(({ code }) => code);
    last().end();
    expect(await call).to.equal('CONNECTION_LOST');
    await reopen();
    expect(last().types).to.deep.equal(['sync']);
    client.close();
  });

  it('drops replies of an earlier connection, and catches up over the present one', async () => {
    const { client, last, reopen } = await onlineClient();
    const seqs: unknown[] = [];
    client.on('messageInGroup', ({ seq }) => seqs.push(seq));
    last().receive(message(1));
    last().receive(message(3));
    const [old, id] = [last(), last().sent.at(-1)?.id];
    const { onmessage } = old;
    expect(old.types.at(-1)).to.equal('getMessages');
    old.end();
    await reopen();
    const late = { data: [{ ...message(2).params, content: '2' }], more: false };
    onmessage?.({ data: JSON.stringify({ type: 'getMessages', success: true, id, params: late }) } as never);
    expect(seqs).to.deep.equal([1]);
    const changes = [2, 3].map((seq) => ({
      kind: 'message',
      isNew: true,
      message: { ...message(seq).params, content: `${seq}` },
    }));
    last().answer('sync', { ...page, data: changes });
    await turns();
    expect(seqs).to.deep.equal([1, 2, 3]);
    client.close();
  });

  it('reads a new cursor when the server refuses the old one, and reports a reset', async () => {
    const { client, last, reopen } = await onlineClient();
    let resets = 0;
    client.on('reset', () => resets++);
    last().end();
    await reopen();
    const refused = {
      type: 'sync',
      error: true,
      code: 'BAD_REQUEST',
      message: '',
      id: last().sent.at(-1)?.id,
    };
    last().receive(refused);
    await reopen();
    expect(last().sent.map(({ params }) => params)).to.deep.equal([{ fromNow: true }]);
    last().answer('sync', page);
    await turns();
    expect([client.state, resets]).to.deep.equal(['online', 1]);
    client.close();
  });

  it('subscribes to presence again after a reconnect, until it is unsubscribed', async () => {
    const { client, last, reopen } = await onlineClient();
    const userIds = Array.from({ length: 150 }, (_, index) => index + 1);
    for (const [type, ids] of [
      ['subscribePresence', userIds],
      ['unsubscribePresence', [150]],
    ] as const) {
      const call = client.call(type, { userIds: [...ids] });
      last().answer(type, { data: [] });
      await call;
    }
    const states: unknown[] = [];
    client.on('subscribePresence', ({ userId, online }) => states.push([userId, online]));
    last().end();
    await reopen();
    last().answer('sync', page);
    await turns();
    last().answer('subscribePresence', { data: [{ userId: 1, online: true, lastSeenAt: null }] });
    await turns();
    const asked = last().sent.flatMap(({ type, params }) =>
      type === 'subscribePresence' ? [params?.userIds] : [],
    );
    expect(asked).to.deep.equal([userIds.slice(0, 100), userIds.slice(100, -1)]);
    expect(states).to.deep.equal([[1, true]]);
    last().answer('subscribePresence', { data: [] });
    const all = client.call('unsubscribePresence');
    last().answer('unsubscribePresence', { data: [] });
    await all;
    last().end();
    await reopen();
    last().answer('sync', page);
    await turns();
    expect(last().types).to.deep.equal(['sync']);
    client.close();
  });

  it('ends the subscriptions of online() and of an iteration', async () => {
    const { client, last, reopen, subscriptions } = clientOf();
    const online = client.online();
    expect(subscriptions.size).to.equal(1);
    await reopen();
    last().answer('getProfile', profile);
    last().answer('sync', page);
    await online;
    expect(subscriptions.size).to.equal(0);
    await client.online();
    const pushes: Push[] = [];
    const iteration = (async () => {
      for await (const push of client) {
        pushes.push(push);
        if (pushes.length === 2) break;
      }
    })();
    await turns();
    expect(subscriptions.size).to.equal(2);
    for (const seq of [1, 2, 3]) last().receive(message(seq));
    await iteration;
    expect([pushes.length, subscriptions.size]).to.deep.equal([2, 0]);
    const refused = client.online().catch(() => {});
    client.close();
    await refused;
    expect(subscriptions.size).to.equal(0);
  });

  it('ends an iteration after the last push when it is closed', async () => {
    const { client, last, subscriptions } = await onlineClient();
    const seqs: unknown[] = [];
    const iteration = (async () => {
      for await (const { params } of client) seqs.push((params as { seq: number }).seq);
    })();
    await turns();
    for (const seq of [1, 2]) last().receive(message(seq));
    client.close();
    await iteration;
    expect([seqs, subscriptions.size]).to.deep.equal([[1, 2], 0]);
  });

  it('has functions that work without it', async () => {
    const { client, last } = await onlineClient();
    const { call, on, online, now, chat, presence, close } = client;
    const states: string[] = [];
    on('state', (state) => states.push(state));
    await online();
    const reply = call('ping');
    last().answer('ping', {});
    expect(await reply).to.deep.equal({});
    expect(now()).to.be.a('number');
    expect(chat({ receiverId: 2 })).to.equal(client.chat({ receiverId: 2 }));
    expect(presence(2)).to.equal(client.presence(2));
    close();
    expect(states).to.deep.equal(['closed']);
  });

  it('keeps the error that closed it when close is called later', async () => {
    mock.method(globalThis, 'fetch', async () =>
      Response.json({ code: 'UNAUTHORIZED', message: '' }, { status: 401 }),
    );
    const { client, last } = clientOf();
    const states: string[] = [];
    client.on('state', (state) => states.push(state));
    await turns();
    last().end();
    await turns();
    mock.timers.tick(1_000);
    await turns();
    client.close();
    const code = await client.call('ping').catch((error) => error.code);
    expect([code, states]).to.deep.equal(['UNAUTHORIZED', ['closed']]);
  });

  it('delivers nothing of what it held once a listener has closed it, and has no timer then', async () => {
    const { client, last, reopen } = clientOf();
    const delivered: unknown[] = [];
    client.on('messageInGroup', ({ seq }) => {
      delivered.push(seq);
      client.close();
    });
    await reopen();
    last().answer('getProfile', profile);
    for (const seq of [1, 2, 3])
      last().receive({
        type: 'messageInGroup',
        params: { groupId: 7, seq, createdAt: '2026-01-01T00:00:00Z', message: `${seq}` },
      });
    const timers = mock.method(globalThis, 'setTimeout').mock;
    last().answer('sync', page);
    await turns();
    expect(delivered).to.deep.equal([1]);
    expect(timers.callCount()).to.equal(0);
  });

  it('sends nothing and opens no socket after close', async () => {
    const { client, sockets, last } = await onlineClient();
    const { length } = last().sent;
    client.close();
    for (let minutes = 0; minutes < 10; minutes++) {
      mock.timers.tick(60_000);
      await turns();
    }
    expect([sockets.length, last().sent.length, last().isClosed]).to.deep.equal([1, length, true]);
  });

  it('keeps its own name current by pushes and catch-ups, and takes nobody else’s', async () => {
    const { client, last, reopen } = await onlineClient();
    const rename = (userId: number, username: string) =>
      last().receive({ type: 'updateProfile', success: true, params: { userId, username } });
    rename(2, 'Bob');
    expect(client.self).to.deep.equal({ userId: 1, username: 'Ada' });
    rename(1, 'Ada L.');
    expect(client.self).to.deep.equal({ userId: 1, username: 'Ada L.' });
    last().end();
    await reopen();
    const user = (userId: number, username: string) => ({ kind: 'user', userId, username });
    last().answer('sync', { ...page, data: [user(2, 'Bob'), user(1, 'Lovelace')] });
    await turns();
    expect(client.self).to.deep.equal({ userId: 1, username: 'Lovelace' });
    client.close();
  });

  it('sends its calls over the next connection if one breaks right after its first replies', async () => {
    const { client, last, reopen } = clientOf();
    const call = client.call('listGroups');
    await reopen();
    last().answer('getProfile', profile);
    last().answer('sync', page);
    last().end(); // before the code that awaits the replies continues
    await reopen();
    last().answer('getProfile', profile);
    await turns();
    last().answer('sync', page);
    await turns();
    last().answer('listGroups', { data: [] });
    expect(await call).to.deep.equal({ data: [] });
    client.close();
  });

  it('is not online if the connection breaks right after the last reply of the catch-up', async () => {
    const { client, last, reopen } = await onlineClient();
    last().end();
    await reopen();
    const states: string[] = [];
    client.on('state', (state) => states.push(state));
    last().answer('sync', page);
    last().end();
    await turns();
    expect(states).to.deep.equal([]);
    await reopen();
    last().answer('sync', page);
    await turns();
    expect(states).to.deep.equal(['online']);
    client.close();
  });

  it('starts its delays over once it was online, and not before', async () => {
    mock.method(Math, 'random', () => 0); // the longest delays: half a second, then one, then two
    const { client, sockets, last } = await onlineClient();
    /** Passes the time before the next socket, and returns it in milliseconds. */
    const delay = async () => {
      const { length } = sockets;
      for (let passed = 0; ; passed += 500) {
        await turns();
        if (sockets.length > length) return passed;
        mock.timers.tick(500);
      }
    };
    const delays: number[] = [];
    for (const isOnline of [false, false, true, false]) {
      last().end();
      delays.push(await delay());
      last().open();
      await turns();
      if (isOnline) last().answer('sync', page);
      await turns();
    }
    expect(delays).to.deep.equal([500, 1_000, 2_000, 500]);
    client.close();
  });
});
