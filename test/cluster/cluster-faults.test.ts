import { expect } from 'chai';
import type { Client, Frame } from '../support/client.ts';
import { natsIsConnected, useCluster } from '../support/cluster.ts';
import { database, newGroup, newUsers, startServer } from '../support/harness.ts';
import { until } from '../support/until.ts';

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
  const cluster = useCluster(2);

  it('deliver nothing to a member who was removed while a node had neither NATS nor the database', async () => {
    const { isolated } = cluster;
    const [ada, bob, eve] = await newUsers(3);
    const [a, b, e] = [
      await cluster.on(ada, 0),
      await bob.connect(isolated.url),
      await eve.connect(isolated.url),
    ];
    const groupId = await newGroup(a, bob, eve);
    await a.done('messageInGroup', { groupId, content: 'before' });
    for (const client of [b, e]) await client.push('messageInGroup');
    const [atBob, atEve] = [received(b), received(e)];

    await Promise.all([isolated.cutOff(), isolated.toDatabase.cut()]);
    await a.done('removeUserFromGroup', { groupId, userId: eve.id });
    await a.done('messageInGroup', { groupId, content: 'secret 0' });
    await isolated.reconnect();
    const failed = isolated.toDatabase.cutBefore('missed messages', 'request');
    await a.done('messageInGroup', { groupId, content: 'secret 1' });
    await isolated.toDatabase.restore();
    await failed; // the node has tried to read what it missed
    await a.done('messageInGroup', { groupId, content: 'secret 2' });
    await until(() => atBob.includes('secret 2'));
    expect(atBob).to.deep.equal(['removeUserFromGroup', 'secret 0', 'secret 1', 'secret 2']);
    expect(atEve).to.deep.equal(['removeUserFromGroup']);
  });

  it('deliver nothing to a member who was removed while the node was busy', async () => {
    const busy = await cluster.startProcess();
    const [ada, bob, cleo, eve] = await newUsers(4);
    const [a, c] = [await cluster.on(ada, 0), await cluster.on(cleo, 1)];
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
      await until(() => atBob.length >= 11 && atEve.length > 0);
      await e.done('ping'); // after whatever was pushed before
      expect(atEve).to.deep.equal(['removeUserFromGroup']);
    }
  });

  it('push a message that a node committed and could not publish once it is sent again over another node', async () => {
    const [ada, bob, cleo] = await newUsers(3);
    const silent = await startServer(); // on the same database and without NATS: as if it had died after the commit
    const groupId = await newGroup(await cluster.on(ada, 0), bob, cleo);
    const [b, c] = [await cluster.on(bob, 0), await cluster.on(cleo, 1)];
    const [own, a] = [await cluster.on(ada, 1), await ada.connect(silent.url)];
    for (const [type, address] of [
      ['messageInGroup', { groupId }],
      ['privateMessage', { receiverId: cleo.id }],
    ] as const) {
      const message = { ...address, content: 'Are you there?', clientMessageId: type };
      const first = await a.done(type, message);
      const again = await (await cluster.on(ada, 0)).done(type, message);
      expect(again).to.deep.equal(first);
      for (const client of type === 'messageInGroup' ? [b, c, own] : [c, own])
        expect((await client.push(type)).params).to.include({ messageId: first.messageId });
    }
    await silent.close();
  });

  /** Adds Eve to a group of Ada and Bob over the isolated node, which gets no answer to its commit. */
  async function addWithoutAnswer() {
    const node = cluster.isolated;
    const [ada, bob, eve] = await newUsers(3);
    const [a, b, e] = [await ada.connect(node.url), await cluster.on(bob, 0), await cluster.on(eve, 1)];
    const groupId = await newGroup(a, bob);
    await b.push('addUserInGroup');
    const lost = node.toDatabase.loseAnswerTo('COMMIT', 'chat_members');
    const added = a.call('addUserInGroup', { groupId, userId: eve.id });
    await lost;
    return { a, b, e, eve, groupId, added };
  }

  it('subscribe a member on every node when the commit of the addition was not answered', async () => {
    const { a, b, e, eve, groupId, added } = await addWithoutAnswer();
    await added;
    for (const client of [b, e])
      expect((await client.push('addUserInGroup')).params).to.include({ userId: eve.id });
    await a.done('messageInGroup', { groupId, content: 'Hi' });
    for (const client of [b, e]) expect((await client.push('messageInGroup')).params.message).to.equal('Hi');
    expect(await database.members.count({ where: { chatId: groupId } })).to.equal(3);
  });

  it('subscribe a member when the outcome of the commit was unknown for so long that the caller got an error', async () => {
    const { b, e, eve, added } = await addWithoutAnswer();
    const { toDatabase } = cluster.isolated;
    await toDatabase.cut();
    expect((await added).code).to.equal('UNAVAILABLE');
    await toDatabase.restore();
    for (const client of [b, e])
      expect((await client.push('addUserInGroup')).params).to.include({ userId: eve.id });
  });

  it('push the first message of a dialog, written while NATS was away by a node that is gone since', async () => {
    const { isolated } = cluster;
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(isolated.url), await cluster.on(bob, 0)];
    await cluster.nats.stop();
    await natsIsConnected(cluster.node(0), false);
    await a.done('privateMessage', { receiverId: bob.id, content: 'Hello?' });
    await isolated.toNats.cut();
    await cluster.nats.start();
    expect((await b.push('privateMessage')).params).to.include({ message: 'Hello?', seq: 1 });
  });

  it('make a connection synchronise when it missed that its user joined a group', async () => {
    const { isolated } = cluster;
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await cluster.on(ada, 0), await bob.connect(isolated.url)];
    await isolated.cutOff();
    const { groupId } = await b.done('newGroup', { groupName: 'Climbers', userIds: [ada.id] });
    const later = await cluster.on(ada, 0); // reads the group from the database: its node follows it from the next message on
    await isolated.reconnect();
    expect(await a.closed).to.equal(1012);
    await b.done('messageInGroup', { groupId, content: 'Hi' });
    expect((await later.push('messageInGroup')).params.message).to.equal('Hi');
  });
});
