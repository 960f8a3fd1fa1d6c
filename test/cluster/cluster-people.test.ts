import { expect } from 'chai';
import { connect } from '../../src/client/node.ts';
import type { Client, Frame } from '../support/client.ts';
import { natsIsConnected, useCluster } from '../support/cluster.ts';
import { http, newGroup, newUsers, type User } from '../support/harness.ts';
import { until } from '../support/until.ts';

/** Returns the presence that was last pushed to a client. */
function watched(client: Client): { online: boolean | undefined } {
  const state: { online: boolean | undefined } = { online: undefined };
  client.socket.on('message', (data) => {
    const { type, params, id } = JSON.parse(String(data));
    if (type === 'subscribePresence' && id === undefined) state.online = params.online;
  });
  return state;
}

/** Returns the fields that a client shows of a pushed message, and of one that it read. */
function shownByPush({ params }: Frame): object {
  const { message: content, senderName, seq, messageId, createdAt, event = null } = params;
  const { custom = null, forwardedFrom = null, forwardedFromName = null } = params;
  const message = { content, senderName, seq, messageId, createdAt, event };
  return { ...message, custom, forwardedFrom, forwardedFromName };
}
function shownByRow({ content, senderName, seq, messageId, createdAt, event, ...row }: Frame): object {
  const { custom, forwardedFrom, forwardedFromName } = row;
  const message = { content, senderName, seq, messageId, createdAt, event };
  return { ...message, custom, forwardedFrom, forwardedFromName };
}

describe('users on two nodes', function () {
  this.timeout(60_000);
  const cluster = useCluster(2);

  const rename = ({ token }: User, username: string, node: 0 | 1) =>
    http('PATCH', '/users/me', { token, body: { username }, url: cluster.url(node) });

  it('receive a new username and a deletion after the messages with the old name', async () => {
    const [ada, bob, cleo] = await newUsers(3);
    const [a, b, c] = await Promise.all([cluster.on(ada, 0), cluster.on(bob, 1), cluster.on(cleo, 1)]);
    const groupId = await newGroup(a, cleo);
    await a.done('privateMessage', { receiverId: bob.id, content: 'hi' });
    await b.push('privateMessage');
    for (let n = 0; n < 20; n++) a.send('messageInGroup', { groupId, content: `${n}` });
    await a.done('ping');
    const username = `renamed${process.pid}`;
    expect((await rename(ada, username, 0)).status).to.equal(200);
    expect((await b.push('updateProfile')).params).to.include({ userId: ada.id, username });

    await a.done('messageInGroup', { groupId, content: 'last' });
    const frames: Frame[] = [];
    for (let last = ''; last !== 'last'; last = frames.at(-1).params.message)
      frames.push(
        await c.next(({ type, id }) => id === undefined && /^(messageInGroup|updateProfile)$/.test(type)),
      );
    const at = frames.findIndex(({ type }) => type === 'updateProfile');
    expect(
      frames.map(
        ({ type, params }, n) =>
          type === 'updateProfile' || params.senderName === (n > at ? username : ada.username),
      ),
    ).to.deep.equal(frames.map(() => true));

    const { token, password } = ada;
    await http('DELETE', '/users/me', { token, body: { password }, url: cluster.url(1) });
    for (const client of [b, c])
      expect((await client.push('updateProfile')).params).to.include({
        userId: ada.id,
        username: 'Deleted user',
      });
  });

  it('are shown the newest name, though an older profile of another node arrives later', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = await Promise.all([cluster.on(ada, 2), cluster.on(bob, 0)]);
    await a.done('privateMessage', { receiverId: bob.id, content: 'hi' });
    const client = connect({ url: cluster.url(0), token: bob.token });
    await client.chats.loaded;
    cluster.isolated.toNats.hold();
    await a.done('updateProfile', { displayName: 'Ada L.' });
    const username = `newest${process.pid}`;
    await rename(ada, username, 0);
    const pushed = async () => (await b.push('updateProfile')).params;
    expect(await pushed()).to.include({ username, displayName: 'Ada L.', version: 2 });
    cluster.isolated.toNats.release();
    expect(await pushed()).to.include({ username: ada.username, displayName: 'Ada L.', version: 1 });
    await client.call('ping'); // after the pushes
    expect(client.chats.value.map(({ name }) => name)).to.deep.equal([username]);
    client.close();
  });

  it('see nothing of each other during a block, and the changes of that time when it ends', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = await Promise.all([cluster.on(ada, 0), cluster.on(bob, 1)]);
    await a.done('privateMessage', { receiverId: bob.id, content: 'hi' });
    await b.push('privateMessage');
    const [seenByAda, seenByBob] = [watched(a), watched(b)];
    for (const [client, { id }] of [
      [a, bob],
      [b, ada],
    ] as const) {
      const state = async () => (await client.done('subscribePresence', { userIds: [id] })).data[0];
      await until(async () => (await state()).online);
    }
    await b.done('blockUser', { userId: ada.id });
    await until(() => seenByAda.online === false && seenByBob.online === false);
    await b.done('markRead', { receiverId: ada.id, seq: 1 });
    expect((await a.rest()).filter(({ type }) => type === 'markRead')).to.deep.equal([]);
    const elsewhere = await cluster.on(ada, 1);
    const seenElsewhere = watched(elsewhere);
    await elsewhere.done('subscribePresence', { userIds: [bob.id] });

    await b.done('unblockUser', { userId: ada.id });
    await until(
      () => seenByAda.online === true && seenByBob.online === true && seenElsewhere.online === true,
    );
    for (const client of [a, elsewhere]) expect((await client.push('markRead')).params.seq).to.equal(1);
  });

  it('are not shown who is typing by one whom they have blocked, or who has blocked them', async () => {
    const [ada, bob, cleo, dan] = await newUsers(4);
    const [a, b, c, d] = [
      await cluster.on(ada, 0),
      await cluster.on(bob, 1),
      await cluster.on(cleo, 1),
      await cluster.on(dan, 1),
    ];
    const groupId = await newGroup(a, bob, cleo, dan);
    await a.done('blockUser', { userId: bob.id });
    await d.done('blockUser', { userId: ada.id });
    await a.done('typing', { groupId, typing: true });
    await a.done('messageInGroup', { groupId, content: 'typed' });
    expect((await c.push('typing')).params.senderId).to.equal(ada.id);
    for (const client of [b, d]) {
      await client.push('messageInGroup');
      expect((await client.rest()).filter(({ type }) => type === 'typing')).to.deep.equal([]);
    }
  });

  it('receive nothing of a group after the reply that they have left it', async () => {
    const [ada, bob] = await newUsers(2);
    const { isolated } = cluster;
    const [a, b] = [await cluster.on(ada, 0), await bob.connect(isolated.url)];
    const [theirs, own] = [await newGroup(a, bob), await newGroup(b, ada)];
    await b.push('addUserInGroup');
    const types: string[] = [];
    b.socket.on('message', (data) => types.push(JSON.parse(String(data)).type));
    isolated.toNats.hold(); // messages of the other node arrive late
    for (const groupId of [theirs, own]) await a.done('messageInGroup', { groupId, content: 'late' });
    await b.done('leaveGroup', { groupId: theirs });
    await b.done('deleteGroup', { groupId: own });
    isolated.toNats.release();
    for (const _ of [theirs, own]) await b.push('messageInGroup');
    expect(types).to.deep.equal(['messageInGroup', 'leaveGroup', 'messageInGroup', 'deleteGroup']);
  });

  it('receive the same pushes for messages that their node missed as for others', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = await Promise.all([cluster.on(ada, 0), cluster.on(bob, 1)]);
    const groupId = await newGroup(a, bob);
    await b.push('addUserInGroup');
    const { messageId } = await a.done('privateMessage', {
      receiverId: ada.id,
      content: 'news',
      custom: { a: 1 },
    });
    const write = async () => {
      await a.done('forwardMessage', { messageId, groupId });
      await a.done('updateGroup', { groupId, description: `${Math.random()}`, custom: { votes: [1, null] } });
    };
    const pushes = async () => [await b.push('messageInGroup'), await b.push('updateGroup')];
    const { data: none } = await b.done('getMessages', { groupId });
    const seq = none.at(-1).seq;

    await write();
    const live = await pushes();
    await cluster.nats.stop();
    await natsIsConnected(cluster.node(1), false);
    await write();
    await cluster.nats.start();
    const filled = await pushes();
    const { data } = await b.done('getMessages', { groupId, afterSeq: seq });
    expect([...live, ...filled].map(shownByPush)).to.deep.equal(data.map(shownByRow));
    expect(filled.map(({ params }) => Object.keys(params).sort())).to.deep.equal(
      live.map(({ params }) => Object.keys(params).sort()),
    );
  });
});
