import { once } from 'node:events';
import { expect } from 'chai';
import { QueryTypes } from 'sequelize';
import { ByteBudget } from '../../src/ByteBudget.ts';
import type { Client } from '../support/client.ts';
import {
  database,
  http,
  metric,
  newClients,
  newGroup,
  newUser,
  newUsers,
  type RunningServer,
  startServer,
} from '../support/harness.ts';
import { until } from '../support/until.ts';

/** Locks a group, so that changes of it wait, until the returned function is called. */
async function holdGroup(groupId: number): Promise<() => Promise<void>> {
  const transaction = await database.sequelize.transaction();
  await database.query('select from chats where id = $1 for update', [groupId], transaction);
  return () => transaction.commit();
}

/** Returns whether a transaction waits for a lock. */
async function isWaiting(): Promise<boolean> {
  const waiting = await database.sequelize.query(
    `select from pg_stat_activity where wait_event_type = 'Lock' and state = 'active'`,
    { type: QueryTypes.SELECT },
  );
  return waiting.length > 0;
}

async function on(env: Record<string, string>, test: (server: RunningServer) => Promise<void>) {
  const server = await startServer(env);
  try {
    await test(server);
  } finally {
    await server.close();
  }
}

const limited = (server: RunningServer, limit: string) =>
  metric(server, `parley_limited_total{limit="${limit}"}`);

/** Returns a connection whose commands wait for one that waits for a locked group. */
async function waitingClient(server: RunningServer) {
  const client = await (await newUser(server.url)).connect();
  const groupId = await newGroup(client);
  const release = await holdGroup(groupId);
  client.send('updateGroup', { groupId, description: 'x' });
  return { client, release };
}

/** Returns a legal frame of a size that waits in the queue. */
const large = (client: Client, bytes: number) =>
  client.socket.send(JSON.stringify({ type: 'listLastMessage', params: {}, id: 'x'.repeat(bytes) }));

describe('waiting commands', () => {
  it('close their connection with 4429 when they take more memory than one connection may', () =>
    on({ UNANSWERED_BYTES_PER_CONNECTION: '1000000' }, async (server) => {
      const { client, release } = await waitingClient(server);
      for (let n = 0; n < 40; n++) large(client, 50_000);
      expect(await client.closed).to.equal(4429);
      expect(await limited(server, 'unanswered')).to.equal(1);
      await release();
    }));

  it('are refused to a user who has used a share of the common memory, and to no other user', () =>
    on({ UNANSWERED_BYTES: '1048576' }, async (server) => {
      const [{ client, release }, other] = [
        await waitingClient(server),
        await (await newUser(server.url)).connect(),
      ];
      const pad = 'x'.repeat(50_000);
      for (let n = 0; n < 12; n++) client.send('listLastMessage', { pad });
      const refused = client.send('listLastMessage', { pad });
      await until(async () => (await limited(server, 'memory')) > 0);
      const ids = Array.from({ length: 10 }, () => other.send('ping', { pad: pad.slice(40_000) }));
      for (const id of ids) expect((await other.reply(id)).code).to.equal('BAD_REQUEST'); // and not UNAVAILABLE
      await release();
      expect((await client.reply(refused)).code).to.equal('UNAVAILABLE');
      expect((await client.call('listLastMessage')).success).to.equal(true);
    }));

  it('close a connection with 4429 when its refusals take too much memory as well', () =>
    on({ UNANSWERED_BYTES: '1048576' }, async (server) => {
      const { client, release } = await waitingClient(server);
      const idle = await (await newUser(server.url)).connect();
      for (let n = 0; n < 12; n++) large(client, 50_000);
      expect(await client.closed).to.equal(4429);
      expect(await idle.done('ping')).to.include({ data: null });
      await release();
    }));

  it('are accepted from a connection within its own share although the common memory is full', () => {
    const budget = new ByteBudget(100, 1 / 4);
    const [one, other] = [budget.of(1), budget.of(2)];
    expect([one.fits(25), one.fits(26), one.fits(31, 1.25)]).to.deep.equal([true, false, true]);
    one.add(120);
    expect([other.fits(0), other.fits(1), other.fits(5, 1.25)]).to.deep.equal([true, false, true]);
    one.add(-120);
    expect([budget.used, other.fits(25)]).to.deep.equal([0, true]);
  });
});

describe('messages waiting for the writer', () => {
  it('are refused with UNAVAILABLE when they take more memory than the queue may', () =>
    on({ QUEUE_BYTES: '65536' }, async (server) => {
      const ada = await newUser(server.url);
      const client = await ada.connect();
      const content = 'x'.repeat(4000);
      const ids = Array.from({ length: 100 }, () =>
        client.send('privateMessage', { receiverId: ada.id, content }),
      );
      const replies = await Promise.all(ids.map((id) => client.reply(id)));
      const stored = replies.filter(({ success }) => success).length;
      expect(replies.some(({ code }) => code === 'UNAVAILABLE')).to.equal(true);
      expect(await limited(server, 'queue')).to.equal(100 - stored);
      expect((await client.done('privateMessage', { receiverId: ada.id, content })).seq).to.equal(stored + 1);
    }));
});

describe('a server with a full queue', () => {
  it('is not ready until messages have room again', () =>
    on({ QUEUE_LENGTH: '1' }, async (server) => {
      const client = await (await newUser(server.url)).connect();
      const groupId = await newGroup(client);
      const release = await holdGroup(groupId);
      const ids = [1, 2, 3].map((n) => client.send('messageInGroup', { groupId, content: `${n}` }));
      await until(isWaiting);
      const ready = () => http('GET', '/health/ready', { url: server.url });
      const { status, body } = await ready();
      await release();
      expect([status, body.message]).to.deep.equal([503, 'Too many messages wait to be written']);
      for (const id of ids) await client.reply(id);
      expect((await ready()).status).to.equal(200);
    }));
});

describe('the output buffered for all clients together', () => {
  it('is bounded by dropping the clients that are most behind', () =>
    on({ SEND_BUFFER_BYTES: '1000000000', SEND_BUFFERS_BYTES: '2097152' }, async (server) => {
      const [ada, bob] = await newUsers(2);
      const [a, stalled] = [await ada.connect(server.url), await bob.connect(server.url)];
      const groupId = await newGroup(a, bob);
      stalled.socket.pause();
      const content = '䷀'.repeat(4000);
      for (let sent = 0; sent < 1_500; sent += 50) {
        const ids = Array.from({ length: 50 }, () => a.send('messageInGroup', { groupId, content }));
        for (const id of ids) await a.reply(id);
      }
      await until(async () => (await metric(server, 'parley_slow_consumers_dropped_total')) === 1);
      stalled.socket.resume();
      await stalled.closed;
      await a.done('ping');
    }));
});

describe('a connection whose token is revoked', () => {
  it('runs none of its waiting commands', async () => {
    const [ada] = await newUsers(1);
    const [bob] = await newClients(1);
    const client = await ada.connect();
    const groups = async () =>
      (await database.chats.count({ where: { createdBy: ada.id, kind: 'group' } })) as number;
    for (let n = 0; n < 400; n++) client.send('newGroup', { groupName: `Group ${n}` });
    await until(async () => (await groups()) > 5);
    const body = { password: 'a better one by far', currentPassword: ada.password };
    expect((await http('PATCH', '/users/me', { token: ada.token, body })).status).to.equal(200);
    expect(await client.closed).to.equal(4401);
    await newGroup(bob.client); // waits for everything that was running
    const made = await groups();
    expect(made).to.be.below(400);
    for (let n = 0; n < 10; n++) await newGroup(bob.client);
    expect(await groups()).to.equal(made);
  });

  it('withdraws its messages that wait for the writer, and no others', () =>
    on({}, async (server) => {
      const [ada, bob] = await newUsers(2);
      const [a, b, busy] = [
        await ada.connect(server.url),
        await bob.connect(server.url),
        await bob.connect(server.url),
      ];
      const groupId = await newGroup(busy, ada);
      const release = await holdGroup(groupId);
      const change = busy.call('updateGroup', { groupId, description: 'x' }); // messages for the group wait for it
      await until(isWaiting);
      for (let n = 0; n < 20; n++) a.send('messageInGroup', { groupId, content: `revoked ${n}` });
      b.send('messageInGroup', { groupId, content: 'kept' });
      await until(async () => (await metric(server, 'parley_writer_queue')) === 21);
      const other = await ada.connect(server.url);
      await other.done('endOtherSessions');
      expect(await a.closed).to.equal(4401);
      await release();
      expect((await change).success).to.equal(true);
      const { data } = await b.done('getMessages', { groupId, limit: 1 });
      expect(data).to.have.length(1);
      expect(data[0]).to.include({ content: 'kept', seq: 4 });
    }));

  it('withdraws a change that waits for another one of the group', () =>
    on({ DATABASE_POOL_SIZE: '10' }, async (server) => {
      const [ada, bob] = await newUsers(2);
      const [a, busy] = [await ada.connect(server.url), await bob.connect(server.url)];
      const groupId = await newGroup(busy, ada);
      const release = await holdGroup(groupId);
      const change = busy.call('updateGroup', { groupId, description: 'x' });
      await until(isWaiting);
      a.send('leaveGroup', { groupId });
      await until(async () => (await metric(server, 'parley_writer_queue')) === 1);
      await (await ada.connect(server.url)).done('endOtherSessions');
      expect(await a.closed).to.equal(4401);
      expect(await metric(server, 'parley_writer_queue')).to.equal(0);
      await release();
      expect((await change).success).to.equal(true);
      expect(await database.members.count({ where: { chatId: groupId } })).to.equal(2);
    }));

  it('differs from one that its client closes, whose earlier messages are stored', async () => {
    const [ada, bob] = await newClients(2);
    ada.client.send('listLastMessage');
    for (let n = 0; n < 300; n++) ada.client.send('privateMessage', { receiverId: bob.id, content: `${n}` });
    ada.client.socket.close();
    await once(ada.client.socket, 'close');
    for (let n = 0; n < 300; n++)
      expect((await bob.client.push('privateMessage')).params.message).to.equal(`${n}`);
  });
});
