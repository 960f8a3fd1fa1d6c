import { rm } from 'node:fs/promises';
import { hashSync } from 'bcryptjs';
import { expect } from 'chai';
import { pino } from 'pino';
import { createNatsTransport } from '../../src/bus/nats/transport.ts';
import { userTopic } from '../../src/bus/topics.ts';
import type { Push } from '../../src/client/index.ts';
import { openDatabase } from '../../src/database/database.ts';
import type { UserId } from '../../src/ids.ts';
import { makeCertificate } from '../support/certificate.ts';
import type { Client, Frame } from '../support/client.ts';
import { natsIsConnected, useCluster } from '../support/cluster.ts';
import {
  database,
  databaseUrl,
  http,
  metric,
  newGroup,
  newUser,
  newUsers,
  startServer,
  temporaryFolder,
  typedClient,
  type User,
} from '../support/harness.ts';
import { beats, type NatsServer, natsServer } from '../support/nats.ts';
import { startRelay } from '../support/relay.ts';
import { createDatabase } from '../support/run.ts';
import { until } from '../support/until.ts';

/** Collects the pushed messages of a group that begin with a number. */
function pushedMessages(client: Client, groupId: number): { seq: number; message: string; id: number }[] {
  const all: { seq: number; message: string; id: number }[] = [];
  client.socket.on('message', (data) => {
    const { params, id } = JSON.parse(String(data));
    if (id === undefined && params?.groupId === groupId && /^\d/.test(params.message))
      all.push({ seq: params.seq, message: params.message, id: params.messageId });
  });
  return all;
}

/** Collects the positions of the messages that a client sees, own replies and pushes, in the order of arrival. */
function seqsOf(client: Client): number[] {
  const seqs: number[] = [];
  client.socket.on('message', (data) => {
    const { type, success, params } = JSON.parse(String(data));
    if (type === 'messageInGroup' && success) seqs.push(params.seq);
  });
  return seqs;
}

/** Dates the last heartbeat of the node of the open session of user $1 back by $2 seconds. */
const silentSince = `
update nodes set beat_at = beat_at - make_interval(secs => $2)
where id = (select node_id from sessions where user_id = $1 and ended_at is null)
`;

async function stored(groupId: number): Promise<{ seq: number; message: string; id: number }[]> {
  const rows = await database.messages.findAll({ where: { chatId: groupId }, order: [['seq', 'asc']] });
  return rows.map(({ seq, content, id }) => ({ seq, message: content, id }));
}

describe('several nodes on NATS', function () {
  this.timeout(60_000);
  const cluster = useCluster(2);

  it('carry messages, changes, events and presence to the connections of other nodes', async () => {
    const [ada, bob, cleo] = await newUsers(3);
    const [a, b, c] = await Promise.all([cluster.on(ada, 0), cluster.on(bob, 1), cluster.on(cleo, 2)]);
    await b.done('subscribePresence', { userIds: [ada.id] });
    await a.done('privateMessage', { receiverId: bob.id, content: 'Hi' });
    expect((await b.push('privateMessage')).params).to.include({ message: 'Hi', senderId: ada.id, seq: 1 });
    const { groupId } = await a.done('newGroup', { groupName: 'Climbers', userIds: [bob.id] });
    expect((await b.push('newGroup')).params).to.include({ groupId, seq: 1 });
    await b.done('addUserInGroup', { groupId, userId: cleo.id });
    for (const client of [a, c])
      expect((await client.push('addUserInGroup')).params).to.include({ groupId, userId: cleo.id, seq: 2 });
    const { messageId } = await c.done('messageInGroup', { groupId, content: 'Hello' });
    for (const client of [a, b])
      expect((await client.push('messageInGroup')).params).to.include({ message: 'Hello', messageId });
    await a.done('editMessage', { messageId, content: 'x' }).catch(() => {});
    await b.done('addReaction', { messageId, emoji: '👍' });
    for (const client of [a, c])
      expect((await client.push('addReaction')).params).to.include({ emoji: '👍', messageId });
    await c.done('typing', { groupId, typing: true });
    for (const client of [a, b]) expect((await client.push('typing')).params.senderId).to.equal(cleo.id);
    await c.done('markRead', { groupId, seq: 3 });
    await a.done('removeUserFromGroup', { groupId, userId: cleo.id });
    expect((await c.push('removeUserFromGroup')).params).to.include({ userId: cleo.id });
    await a.done('messageInGroup', { groupId, content: 'without Cleo' });
    await b.push('messageInGroup');
    expect((await c.rest()).filter(({ type }) => type === 'messageInGroup')).to.deep.equal([]);
    await a.done('setPresence', { invisible: true });
    const offline = await b.next(({ type, params }) => type === 'subscribePresence' && !params.online);
    expect(offline.params.userId).to.equal(ada.id);
  });

  it('end sessions and revoked tokens on all nodes, without waiting for the comparison with the database', async () => {
    const [ada, bob] = await newUsers(2);
    const [here, there] = [await cluster.on(ada, 0), await cluster.on(ada, 1)];
    const [b0, b1] = [await cluster.on(bob, 0), await cluster.on(bob, 2)];
    await there.done('listSessions'); // from here on all nodes list it
    const [, session] = (await here.done('listSessions', { live: true })).data.sort(
      (one: { current: boolean }, other: { current: boolean }) => Number(other.current) - Number(one.current),
    );
    await here.done('endSession', { sessionId: session.sessionId });
    expect(await there.closed).to.equal(4401);
    const again = await cluster.on(ada, 2);
    await here.done('endSession');
    expect(await Promise.all([here.closed, again.closed])).to.deep.equal([4401, 4401]);
    await http('PATCH', '/users/me', {
      url: cluster.url(1),
      token: bob.token,
      body: { password: 'another horse', currentPassword: bob.password },
    });
    expect(await Promise.all([b0.closed, b1.closed])).to.deep.equal([4401, 4401]);
  });

  it('push the same order to all members when all write at once, without a gap or a repeat', async () => {
    const people = await newUsers(6);
    const clients = await Promise.all(people.map((user, index) => cluster.on(user, index % 3)));
    const [owner] = clients;
    const groupId = await newGroup(owner as Client, ...people.slice(1));
    await Promise.all(clients.map((client) => client.rest()));
    const all = clients.map((client) => pushedMessages(client, groupId));
    const replies: number[][] = clients.map(() => []);
    const together = clients.map((client) => seqsOf(client));
    await Promise.all(
      clients.flatMap((client, index) =>
        Array.from({ length: 100 }, async (_, n) => {
          const { seq } = await client.done('messageInGroup', { groupId, content: `${index} ${n}` });
          replies[index]?.push(seq);
        }),
      ),
    );
    const record = (await stored(groupId)).slice(-600);
    for (const [index, messages] of all.entries()) {
      const others = record.filter(({ message }) => !message.startsWith(`${index} `));
      await until(() => messages.length >= others.length);
      expect(messages).to.deep.equal(others);
      expect(replies[index]).to.deep.equal(
        record.filter(({ message }) => message.startsWith(`${index} `)).map(({ seq }) => seq),
      );
      // own replies among the pushes, each at its position
      expect(together[index]).to.deep.equal(record.map(({ seq }) => seq));
    }
  });

  it('keep the order and lose nothing when two users write to each other for the first time from two nodes', async () => {
    for (let round = 0; round < 5; round++) {
      const [ada, bob] = await newUsers(2);
      const [a, b] = await Promise.all([cluster.on(ada, 0), cluster.on(bob, 1)]);
      const device = await cluster.on(ada, 2);
      const seen: number[] = [];
      device.socket.on('message', (data) => {
        const { type, params } = JSON.parse(String(data));
        if (type === 'privateMessage') seen.push(params.seq);
      });
      await Promise.all(
        Array.from({ length: 10 }, (_, n) => [
          a.done('privateMessage', { receiverId: bob.id, content: `a${n}` }),
          b.done('privateMessage', { receiverId: ada.id, content: `b${n}` }),
        ]).flat(),
      );
      await until(() => seen.length >= 20);
      expect(seen).to.deep.equal(Array.from({ length: 20 }, (_, n) => n + 1));
    }
  });

  it('continue to serve while NATS is unavailable, and push the missed publications as soon as it is back', async () => {
    const [ada, bob, cleo] = await newUsers(3);
    const [a, b, c] = await Promise.all([cluster.on(ada, 0), cluster.on(bob, 0), cluster.on(cleo, 1)]);
    const groupId = await newGroup(a, bob, cleo);
    await Promise.all([a, b, c].map((client) => client.rest()));
    const [atB, atC] = [pushedMessages(b, groupId), pushedMessages(c, groupId)];
    const writing = { on: true };
    let n = 0;
    const writer = (async () => {
      while (writing.on) {
        await a.done('messageInGroup', { groupId, content: `${n++}` });
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    })();
    await until(() => atC.length > 20);
    await cluster.nats.stop();
    const before = n;
    await until(() => n > before + 100);
    await a.done('privateMessage', { receiverId: cleo.id, content: 'while it was away' });
    const { token } = (
      await http('POST', '/auth/login', {
        url: cluster.url(1),
        body: { username: bob.username, password: bob.password },
      })
    ).body;
    const late = await b.done('getGroup', { groupId });
    expect(late.data.groupId).to.equal(groupId);
    await until(() => atB.length >= before + 100); // local pushes at once
    await cluster.nats.start();
    await c.push('privateMessage');
    await until(() => n > before + 300);
    writing.on = false;
    await writer;
    const record = (await stored(groupId)).slice(-n);
    await until(() => atC.length >= n);
    expect(atC).to.deep.equal(record);
    expect(atB).to.deep.equal(record);
    expect(token).to.be.a('string');
    expect(await metric(cluster.node(1), 'parley_messages_healed_total')).to.be.above(0);
  });

  it('push to the other nodes the messages written on a node that could not reach NATS', async () => {
    const { isolated } = cluster;
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(isolated.url), await cluster.on(bob, 0)];
    const groupId = await newGroup(a, bob);
    await b.push('addUserInGroup');
    for (let round = 0; round < 2; round++) {
      await isolated.cutOff();
      const { messageId } = await a.done('messageInGroup', { groupId, content: `${round}` });
      await a.done('privateMessage', { receiverId: bob.id, content: `${round}` });
      await a.done('addReaction', { messageId, emoji: '👍' });
      await isolated.reconnect();
      for (const type of ['messageInGroup', 'privateMessage'])
        expect((await b.push(type)).params.message).to.equal(`${round}`);
      expect((await b.push('addReaction')).params.messageId).to.equal(messageId);
    }
  });

  it('push the missed publications once to a node that was cut off from NATS', async () => {
    const { isolated } = cluster;
    const [ada, bob, cleo] = await newUsers(3);
    const [a, b, c] = [
      await ada.connect(cluster.url(0)),
      await bob.connect(isolated.url),
      await cluster.on(cleo, 1),
    ];
    const groupId = await newGroup(a, bob, cleo);
    const { messageId } = await a.done('messageInGroup', { groupId, content: 'first' });
    await b.push('messageInGroup'); // or its node may read it from the database with the edit
    await a.done('editMessage', { messageId, content: 'second' });
    await b.push('editMessage');
    await isolated.cutOff();
    await a.done('editMessage', { messageId, content: 'third' });
    await c.done('addReaction', { messageId, emoji: '👍' });
    await c.done('removeReaction', { messageId, emoji: '👍' });
    await a.done('typing', { groupId, typing: true });
    await c.done('sendEvent', { groupId, event: 'dice', custom: {} });
    await a.done('pinMessage', { messageId });
    const written = await a.done('privateMessage', { receiverId: bob.id, content: 'Hi' });
    await a.done('deleteMessage', { messageId: written.messageId });
    const events: string[] = [];
    b.socket.on('message', (data) => {
      const { type, id } = JSON.parse(String(data));
      if (id === undefined && /^(edit|delete|pin)Message$|Reaction$|^typing$|^sendEvent$/.test(type))
        events.push(type);
    });
    await isolated.reconnect();
    await until(() => events.length >= 5);
    // What either node might have sent again comes before what it publishes now.
    await c.done('privateMessage', { receiverId: bob.id, content: 'last' });
    await b.next(({ params }) => params?.message === 'last');
    await a.done('editMessage', { messageId, content: 'fourth' });
    await until(() => events.length >= 6);
    // in the order of each node, which is that of each user here
    const of = (...types: string[]) => events.filter((type) => types.includes(type));
    expect(of('addReaction', 'removeReaction')).to.deep.equal(['addReaction', 'removeReaction']);
    expect(of('editMessage', 'pinMessage', 'deleteMessage')).to.deep.equal([
      'editMessage',
      'pinMessage',
      'deleteMessage',
      'editMessage',
    ]);
    expect(events.length).to.equal(6);
  });

  it('leave a client with the state of the database, although NATS is cut twice while a message is edited', async () => {
    const { isolated } = cluster;
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(cluster.url(0)), await bob.connect(isolated.url)];
    const { messageId } = await a.done('privateMessage', { receiverId: bob.id, content: '0' });
    let edits = 0;
    const edit = () => a.done('editMessage', { messageId, content: `${++edits}` });
    const shown: string[] = [];
    b.socket.on('message', (data) => {
      const { type, params } = JSON.parse(String(data));
      if (type === 'editMessage') shown.push(params.message);
    });
    await edit();
    await until(() => shown.length === 1);
    for (let round = 0; round < 2; round++) {
      await isolated.cutOff();
      await edit();
      const reconnected = isolated.reconnect();
      await edit(); // live, besides the missed ones
      await reconnected;
      await edit();
    }
    await until(() => shown.length === edits);
    expect(shown).to.deep.equal(Array.from({ length: edits }, (_, n) => `${n + 1}`));
    const row = await database.messages.findOne({ where: { id: messageId } });
    expect(row?.content).to.equal(shown.at(-1));
    await b.done('ping'); // the connections stayed open
  });

  it('make their clients synchronise when more was missed than a replay buffer holds', async () => {
    const { isolated } = cluster;
    const ada = await newUser();
    const a = await ada.connect(isolated.url);
    const busy = await createNatsTransport({ servers: [cluster.nats.url] }, pino({ level: 'silent' }), {
      catchUp() {},
      reconcile() {},
      resynchronise() {},
    });
    await until(() => busy.connected);
    await isolated.cutOff();
    for (let n = 0; n <= 50_000; n++) busy.publish(userTopic(ada.id as UserId), { frame: `${n}` });
    await isolated.reconnect();
    expect(await a.closed).to.equal(1012);
    await busy.close();
  });

  it('push no earlier messages to a user who joined a group while NATS was unavailable', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = await Promise.all([cluster.on(ada, 0), cluster.on(bob, 1)]);
    const groupId = await newGroup(a);
    for (let n = 0; n < 20; n++) await a.done('messageInGroup', { groupId, content: `${n}` });
    await cluster.nats.stop();
    const joined = await a.done('addUserInGroup', { groupId, userId: bob.id });
    await cluster.nats.start();
    expect((await b.push('addUserInGroup')).params.seq).to.equal(joined.seq);
    await a.done('messageInGroup', { groupId, content: 'welcome' });
    const next = await b.push('messageInGroup');
    expect(next.params).to.include({ message: 'welcome', seq: joined.seq + 1 });
  });

  it('end tokens revoked while NATS was unavailable, and reconcile changed groups, once it is back', async () => {
    const [ada, bob, cleo] = await newUsers(3);
    const [a, b, c] = await Promise.all([cluster.on(ada, 0), cluster.on(bob, 1), cluster.on(cleo, 1)]);
    const groupId = await newGroup(a, cleo);
    await c.push('addUserInGroup');
    await cluster.nats.stop();
    await http('PATCH', '/users/me', {
      url: cluster.url(0),
      token: bob.token,
      body: { password: 'another horse', currentPassword: bob.password },
    });
    await a.done('removeUserFromGroup', { groupId, userId: cleo.id });
    const other = await newGroup(a, cleo);
    await cluster.nats.start();
    expect(await b.closed).to.equal(4401);
    await until(async () => {
      await a.done('messageInGroup', { groupId: other, content: 'Hi' });
      return (await c.rest()).some(({ type }) => type === 'messageInGroup');
    });
    await a.done('messageInGroup', { groupId, content: 'without Cleo' });
    await a.done('messageInGroup', { groupId: other, content: 'with Cleo' });
    const { params } = await c.next(({ params }) => /^with/.test(params?.message), 'the second');
    expect(params.groupId).to.equal(other);
    expect(
      (await c.rest()).filter(
        ({ params }) => params.groupId === groupId && params.message === 'without Cleo',
      ),
    ).to.deep.equal([]);
  });

  it('lose nothing when a node is killed in the middle of sending', async () => {
    const doomed = await cluster.startProcess();
    const [ada, bob] = await newUsers(2);
    const away = await startRelay(doomed.url);
    const { groupId } = await (await cluster.on(ada, 0)).done('newGroup', {
      groupName: 'Climbers',
      userIds: [bob.id],
    });
    // behind a load balancer: the same address, another node
    let at = away.url;
    const client = typedClient(ada, { url: at });
    await client.online();
    const listener = typedClient(bob, { url: cluster.url(2) });
    const received: number[] = [];
    listener.on('push', ({ params }: Push) => {
      if ('createdAt' in params && 'groupId' in params && params.groupId === groupId)
        received.push(params.seq);
    });
    await listener.online();
    const sends = Array.from({ length: 300 }, (_, n) =>
      client.call('messageInGroup', { groupId, content: `${n}` }),
    );
    await sends[50];
    await doomed.stop('SIGKILL');
    await away.cut();
    at = (await cluster.startProcess({ PORT: new URL(away.url).port })).url;
    const seqs = (await Promise.all(sends)).map(({ seq }) => seq);
    expect(seqs).to.deep.equal(Array.from({ length: 300 }, (_, n) => n + 2));
    await until(() => received.length >= 300);
    expect(received).to.deep.equal(seqs);
  });

  it('push that the users of a killed node are offline, except invisible ones and those of other nodes', async () => {
    // A database of their own: any node on it may find the dead one, and all of them must be on NATS.
    const env = { DATABASE_URL: await createDatabase(), NATS_URL: cluster.nats.url };
    const [watching, other] = await Promise.all([startServer(env), startServer(env)]);
    const doomed = await cluster.startProcess(env);
    const [ada, invisible, both, bob] = (await Promise.all(
      Array.from({ length: 4 }, () => newUser(watching.url)),
    )) as [User, User, User, User];
    const a = await ada.connect();
    await both.connect(other.url);
    const there = await invisible.connect(doomed.url);
    await there.done('setPresence', { invisible: true });
    const userIds = [invisible.id, both.id, bob.id];
    const states = async (client = a): Promise<Frame[]> =>
      (await client.done('getPresence', { userIds })).data;
    const [hidden] = await states();
    for (const { connect } of [both, bob]) await (await connect(doomed.url)).done('listSessions');
    await until(async () => (await states()).every(({ online }, at) => online === at > 0));
    await a.done('subscribePresence', { userIds });
    await a.rest();
    const isOffline = (frame: Frame) => frame.type === 'subscribePresence' && frame.params?.online === false;
    const offline: Frame[] = [];
    a.socket.on('message', (data) => {
      const frame: Frame = JSON.parse(String(data));
      if (isOffline(frame)) offline.push(frame);
    });
    await doomed.stop('SIGKILL');
    const db = openDatabase(env.DATABASE_URL, 1);
    await db.execute(silentSince, [bob.id, 10]); // longer than a node may be silent
    await db.close();
    const { params } = await a.next(isOffline, 'the offline push', 30_000);
    expect(params.userId).to.equal(bob.id);
    const { lastSeenAt } = params;
    // The first connection is about to end, because the node may not have pushed its last changes of presence.
    expect(await states(await ada.connect())).to.deep.equal([
      hidden,
      { userId: both.id, online: true, lastSeenAt: null },
      { userId: bob.id, online: false, lastSeenAt },
    ]);
    expect(offline).to.have.length(1);
    await Promise.all([watching.close(), other.close()]);
  });

  it('subscribe only to the topics of their own connections', async () => {
    const node = cluster.node(2);
    await until(async () => (await metric(node, 'parley_nats_subscriptions')) === 0);
    const [ada, bob] = await newUsers(2);
    const a = await cluster.on(ada, 0);
    const groupId = await newGroup(a, bob);
    const subscriptions = () => metric(node, 'parley_nats_subscriptions');
    expect(await subscriptions()).to.equal(0);
    const b = await cluster.on(bob, 2);
    expect(await subscriptions()).to.equal(2); // Bob, and his group
    const device = await cluster.on(bob, 2);
    expect(await subscriptions()).to.equal(2);
    await b.done('leaveGroup', { groupId });
    await until(async () => (await subscriptions()) === 1);
    await device.done('subscribePresence', { userIds: [ada.id] });
    expect(await subscriptions()).to.equal(2); // Bob, and the presence of Ada
    await Promise.all([b.close(), device.close()]);
    await until(async () => (await subscriptions()) === 0);
  });

  it('store nothing of a user after the message of their removal, whatever commands run at the same time', async () => {
    const [ada, bob] = await newUsers(2);
    const a = await cluster.on(ada, 0);
    const writers = await Promise.all([cluster.on(bob, 1), cluster.on(bob, 2)]);
    for (let round = 0; round < 6; round++) {
      const groupId = await newGroup(a, bob);
      const calls = writers.flatMap((client) =>
        Array.from({ length: 60 }, (_, n) => client.call('messageInGroup', { groupId, content: `${n}` })),
      );
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 12));
      const removed = await a.done('removeUserFromGroup', { groupId, userId: bob.id });
      const replies = await Promise.all(calls);
      const seqs = replies.filter(({ success }) => success).map(({ params }) => params.seq);
      for (const { code } of replies.filter(({ error }) => error)) expect(code).to.equal('NOT_A_MEMBER');
      const rows = await database.messages.findAll({ where: { chatId: groupId, senderId: bob.id } });
      expect(rows.map(({ seq }) => seq).sort((x, y) => x - y)).to.deep.equal(seqs.sort((x, y) => x - y));
      expect(Math.max(0, ...seqs)).to.be.below(removed.seq);
    }
  });

  it('count failed logins on all nodes together', async () => {
    const pair = await Promise.all(
      [1, 2].map(() => startServer({ NATS_URL: cluster.nats.url, RATE_LIMITS: 'on' })),
    );
    const [ada] = await newUsers(1);
    const passwordHash = hashSync(ada.password, 4); // compared quickly
    await database.users.update({ passwordHash }, { where: { id: ada.id } });
    const statuses: number[] = [];
    for (let n = 0; n < 24; n++) {
      const body = { username: ada.username, password: 'wrong horse' };
      statuses.push((await http('POST', '/auth/login', { url: pair[n % 2]?.url ?? '', body })).status);
    }
    expect(statuses).to.deep.equal([...Array(20).fill(401), ...Array(4).fill(429)]);
    await Promise.all(pair.map((node) => node.close()));
  });

  it('send their clients to the other nodes in slices when they stop', async () => {
    const leaving = await startServer({ NATS_URL: cluster.nats.url, DRAIN_SECONDS: '1' });
    const users = await newUsers(10);
    const clients = await Promise.all(users.map((user) => user.connect(leaving.url)));
    const codes: number[] = [];
    for (const client of clients) client.socket.on('close', (code) => codes.push(code));
    const closed = leaving.close();
    await until(() => codes.length > 0);
    expect(codes.length).to.be.below(10);
    expect((await http('GET', '/health/ready', { url: leaving.url })).status).to.equal(503);
    expect(await users[0]?.connect(leaving.url).catch((reason) => reason.status)).to.equal(503);
    await closed;
    expect(codes).to.deep.equal(Array(10).fill(1012));
  });

  it('continue after an outage of the database, without loss or repeats', async () => {
    const relay = await startRelay(databaseUrl());
    const env = { NATS_URL: cluster.nats.url, DATABASE_URL: relay.url };
    const pair = await Promise.all([1, 2].map(() => startServer(env)));
    const users = await newUsers(2);
    const clients = users.map((user, index) => typedClient(user, { url: pair[index]?.url ?? '' }));
    const [first] = clients;
    await Promise.all(clients.map((client) => client.online()));
    const { groupId } =
      (await first?.call('newGroup', { groupName: 'Climbers', userIds: [users[1]?.id ?? 0] })) ?? {};
    const received = clients.map(() => [] as number[]);
    for (const [index, client] of clients.entries())
      for (const name of ['push', 'sent'] as const)
        client.on(name, ({ params }: Push) => {
          if ('createdAt' in params && 'groupId' in params && params.groupId === groupId)
            received[index]?.push(params.seq);
        });
    const writing = clients.map(async (client, index) => {
      for (let n = 0; n < 100; n++)
        await client.call('messageInGroup', { groupId: groupId ?? 0, content: `${index} ${n}` });
    });
    await until(() => (received[1]?.length ?? 0) > 20);
    await relay.cut();
    for (const { url } of pair)
      await until(async () => (await http('GET', '/health/ready', { url })).status === 503);
    await relay.restore();
    await Promise.all(writing);
    const seqs = Array.from({ length: 201 }, (_, n) => n + 1);
    for (const all of received) {
      await until(() => all.filter((seq) => seq > 1).length >= 200);
      expect(all.filter((seq) => seq > 1)).to.deep.equal(seqs.slice(1));
    }
    expect((await stored(groupId ?? 0)).map(({ seq }) => seq)).to.deep.equal(seqs);
    for (const client of clients) client.close();
    await Promise.all(pair.map((node) => node.close()));
    await relay.cut();
  });

  it('use TLS to NATS with a private certificate authority', async () => {
    const folder = await temporaryFolder();
    const { cert, key } = makeCertificate(folder);
    const secure = (await natsServer('--tls', '--tlscert', cert, '--tlskey', key)) as NatsServer;
    await secure.start();
    const NATS_URL = secure.url.replace('nats:', 'tls:');
    const [trusting, wary] = await Promise.all([
      startServer({ NATS_URL, NATS_CA: cert }),
      startServer({ NATS_URL }),
    ]);
    await natsIsConnected(trusting);
    expect(await metric(wary, 'parley_nats_connected')).to.equal(0);
    await Promise.all([trusting.close(), wary.close()]);
    await secure.stop();
    await rm(folder, { recursive: true, force: true });
    const missing = await startServer({ NATS_URL, NATS_CA: '/nowhere' }).catch((error) => error.message);
    expect(missing).to.equal('The file /nowhere, named in NATS_CREDS or NATS_CA, cannot be read');
  });

  it('keep their clients when no other node can replay missed publications', async () => {
    const own = (await natsServer()) as NatsServer;
    const node = await startServer({ NATS_URL: own.url });
    const ada = await newUser();
    const client = await ada.connect(node.url);
    await own.start();
    await natsIsConnected(node);
    await beats(own, 2); // at which it looks whether somebody has answered
    await client.done('ping');
    await node.close();
    await own.stop();
  });

  it('start without NATS, and connect later', async () => {
    const other = (await natsServer()) as NatsServer;
    const pair = await Promise.all([1, 2].map(() => startServer({ NATS_URL: other.url })));
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(pair[0]?.url), await bob.connect(pair[1]?.url)];
    await a.done('privateMessage', { receiverId: bob.id, content: 'Hi' });
    await other.start();
    await Promise.all(pair.map((node) => natsIsConnected(node)));
    expect((await b.push('privateMessage')).params.message).to.equal('Hi');
    await Promise.all(pair.map((node) => node.close()));
    await other.stop();
  });

  it('connect to NATS with a password, and not without', async () => {
    const guarded = (await natsServer('--user', 'parley', '--pass', 'a secret')) as NatsServer;
    await guarded.start();
    const url = guarded.url.replace('nats://', `nats://parley:${encodeURIComponent('a secret')}@`);
    const [inside, outside] = await Promise.all([
      startServer({ NATS_URL: url }),
      startServer({ NATS_URL: guarded.url }),
    ]);
    await natsIsConnected(inside);
    expect(await metric(outside, 'parley_nats_connected')).to.equal(0);
    await Promise.all([inside.close(), outside.close()]);
    await guarded.stop();
  });
});
