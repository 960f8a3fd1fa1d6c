import { expect } from 'chai';
import type { Client, Frame } from '../support/client.ts';
import {
  database,
  databaseUrl,
  JWT_SECRET,
  metric,
  newGroup,
  newUsers,
  type RunningServer,
  startServer,
  type User,
} from '../support/harness.ts';
import { type NatsServer, natsServer } from '../support/nats.ts';
import { type ServerProcess, startProcess } from '../support/process.ts';
import { startRelay } from '../support/relay.ts';
import { pause, until } from '../support/until.ts';

/** Returns the contents of the message pushes that a client receives, for system messages the type. */
function received(client: Client): string[] {
  const all: string[] = [];
  client.socket.on('message', (data) => {
    const { type, id, params }: Frame = JSON.parse(String(data));
    if (id === undefined && params?.seq !== undefined)
      all.push(/^(privateMessage|messageInGroup)$/.test(type) ? params.message : type);
  });
  return all;
}

describe('several nodes with faults', function () {
  this.timeout(60_000);
  let nats: NatsServer;
  let nodes: RunningServer[];
  const processes: ServerProcess[] = [];

  before(async function () {
    const server = await natsServer();
    if (!server) {
      console.log('      skipped: there is no nats-server here');
      return this.skip();
    }
    nats = server;
    await nats.start();
    nodes = await Promise.all([1, 2].map(() => startServer({ NATS_URL: nats.url })));
    for (const node of nodes) await until(async () => (await metric(node, 'parley_nats_connected')) === 1);
  });
  afterEach(async () => {
    for (const process of processes.splice(0)) await process.stop('SIGKILL');
  });
  after(async () => {
    await Promise.all((nodes ?? []).map((node) => node.close()));
    await nats?.stop();
  });

  const on = (user: User, node: number) => user.connect((nodes[node] as RunningServer).url);

  it('deliver nothing to a member who was removed while a node had neither NATS nor the database', async () => {
    const [toNats, toDatabase] = [await startRelay(nats.url), await startRelay(databaseUrl())];
    const isolated = await startServer({ NATS_URL: toNats.url, DATABASE_URL: toDatabase.url });
    await until(async () => (await metric(isolated, 'parley_nats_connected')) === 1);
    const [ada, bob, eve] = await newUsers(3);
    const [a, b, e] = [await on(ada, 0), await bob.connect(isolated.url), await eve.connect(isolated.url)];
    const groupId = await newGroup(a, bob, eve);
    await a.done('messageInGroup', { groupId, content: 'before' });
    for (const client of [b, e]) await client.push('messageInGroup');
    const [atBob, atEve] = [received(b), received(e)];

    await Promise.all([toNats.cut(), toDatabase.cut()]);
    await until(async () => (await metric(isolated, 'parley_nats_connected')) === 0);
    await a.done('removeUserFromGroup', { groupId, userId: eve.id });
    await a.done('messageInGroup', { groupId, content: 'secret 0' });
    await toNats.restore();
    await until(async () => (await metric(isolated, 'parley_nats_connected')) === 1);
    await a.done('messageInGroup', { groupId, content: 'secret 1' });
    await pause(2_500); // the node tries to read the database, and does not reach it
    await toDatabase.restore();
    await a.done('messageInGroup', { groupId, content: 'secret 2' });
    await until(() => atBob.includes('secret 2'));
    expect(atBob).to.deep.equal(['removeUserFromGroup', 'secret 0', 'secret 1', 'secret 2']);
    expect(atEve).to.deep.equal(['removeUserFromGroup']);
    await isolated.close();
    await Promise.all([toNats.cut(), toDatabase.cut()]);
  });

  it('deliver nothing to a member who was removed while the node was busy', async () => {
    const busy = await startProcess({ DATABASE_URL: databaseUrl(), JWT_SECRET, NATS_URL: nats.url });
    processes.push(busy);
    await until(async () => (await metric(busy, 'parley_nats_connected')) === 1);
    const [ada, bob, cleo, eve] = await newUsers(4);
    const [a, c] = [await on(ada, 0), await on(cleo, 1)];
    const [b, e] = [await bob.connect(busy.url), await eve.connect(busy.url)];
    for (let round = 0; round < 5; round++) {
      const groupId = await newGroup(a, bob, cleo, eve);
      await a.done('messageInGroup', { groupId, content: 'before' });
      for (const client of [b, e]) await client.push('messageInGroup');
      const [atBob, atEve] = [received(b), received(e)];
      busy.child.kill('SIGSTOP');
      await a.done('removeUserFromGroup', { groupId, userId: eve.id });
      // From another node, whose publications overtake those of the first.
      await Promise.all(
        Array.from({ length: 10 }, (_, n) =>
          c.done('messageInGroup', { groupId, content: `not for Eve ${n}` }),
        ),
      );
      busy.child.kill('SIGCONT');
      await until(() => atBob.length >= 11);
      expect(atEve).to.deep.equal(['removeUserFromGroup']);
    }
  });

  it('push a message that a node committed and could not publish once it is sent again over another node', async () => {
    const [ada, bob, cleo] = await newUsers(3);
    const silent = await startServer(); // on the same database and without NATS: as if it had died after the commit
    const groupId = await newGroup(await on(ada, 0), bob, cleo);
    const [b, c] = [await on(bob, 0), await on(cleo, 1)];
    const [own, a] = [await on(ada, 1), await ada.connect(silent.url)];
    for (const [type, address] of [
      ['messageInGroup', { groupId }],
      ['privateMessage', { receiverId: cleo.id }],
    ] as const) {
      const message = { ...address, content: 'Are you there?', clientMessageId: type };
      const first = await a.done(type, message);
      const again = await (await on(ada, 0)).done(type, message);
      expect(again).to.deep.equal(first);
      for (const client of type === 'messageInGroup' ? [b, c, own] : [c, own])
        expect((await client.push(type)).params).to.include({ messageId: first.messageId });
    }
    await silent.close();
  });

  it('subscribe a member on every node when the commit of the addition was not answered', async () => {
    const relay = await startRelay(databaseUrl());
    const node = await startServer({ NATS_URL: nats.url, DATABASE_URL: relay.url });
    const [ada, bob, eve] = await newUsers(3);
    const [a, b, e] = [await ada.connect(node.url), await on(bob, 0), await on(eve, 1)];
    const groupId = await newGroup(a, bob);
    await b.push('addUserInGroup');
    const lost = relay.loseAnswerTo('COMMIT');
    const added = a.call('addUserInGroup', { groupId, userId: eve.id });
    await lost;
    await added;
    for (const client of [b, e])
      expect((await client.push('addUserInGroup')).params).to.include({ userId: eve.id });
    await a.done('messageInGroup', { groupId, content: 'Hi' });
    for (const client of [b, e]) expect((await client.push('messageInGroup')).params.message).to.equal('Hi');
    expect(await database.members.count({ where: { chatId: groupId } })).to.equal(3);
    await node.close();
    await relay.cut();
  });

  it('make a connection synchronise when it missed that its user joined a group', async () => {
    const relay = await startRelay(nats.url);
    const isolated = await startServer({ NATS_URL: relay.url });
    await until(async () => (await metric(isolated, 'parley_nats_connected')) === 1);
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await on(ada, 0), await bob.connect(isolated.url)];
    await relay.cut();
    const { groupId } = await b.done('newGroup', { groupName: 'Climbers', userIds: [ada.id] });
    const later = await on(ada, 0); // reads the group from the database: its node follows it from the next message on
    await relay.restore();
    expect(await a.closed).to.equal(1012);
    await b.done('messageInGroup', { groupId, content: 'Hi' });
    expect((await later.push('messageInGroup')).params.message).to.equal('Hi');
    await isolated.close();
    await relay.cut();
  });
});
