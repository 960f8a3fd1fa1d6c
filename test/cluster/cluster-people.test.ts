import { expect } from 'chai';
import type { Client, Frame } from '../support/client.ts';
import {
  http,
  metric,
  newGroup,
  newUsers,
  type RunningServer,
  startServer,
  type User,
} from '../support/harness.ts';
import { type NatsServer, natsServer } from '../support/nats.ts';
import { startRelay } from '../support/relay.ts';
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
  let nats: NatsServer;
  let nodes: [RunningServer, RunningServer];

  before(async function () {
    const server = await natsServer();
    if (!server) {
      console.log('      skipped: there is no nats-server here');
      return this.skip();
    }
    nats = server;
    await nats.start();
    const env = { NATS_URL: nats.url };
    nodes = [await startServer(env), await startServer(env)];
    await until(async () =>
      (await Promise.all(nodes.map((node) => metric(node, 'parley_nats_connected')))).every(Boolean),
    );
  });
  after(async () => {
    await Promise.all((nodes ?? []).map((node) => node.close()));
    await nats?.stop();
  });

  const on = (user: User, node: 0 | 1) => user.connect(nodes[node].url);
  const rename = ({ token }: User, username: string, node: 0 | 1) =>
    http('PATCH', '/users/me', { token, body: { username }, url: nodes[node].url });

  it('receive a new username and a deletion after the messages with the old name', async () => {
    const [ada, bob, cleo] = await newUsers(3);
    const [a, b, c] = await Promise.all([on(ada, 0), on(bob, 1), on(cleo, 1)]);
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
    await http('DELETE', '/users/me', { token, body: { password }, url: nodes[1].url });
    for (const client of [b, c])
      expect((await client.push('updateProfile')).params).to.include({
        userId: ada.id,
        username: 'Deleted user',
      });
  });

  it('see nothing of each other during a block, and the changes of that time when it ends', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = await Promise.all([on(ada, 0), on(bob, 1)]);
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
    const elsewhere = await on(ada, 1);
    const seenElsewhere = watched(elsewhere);
    await elsewhere.done('subscribePresence', { userIds: [bob.id] });

    await b.done('unblockUser', { userId: ada.id });
    await until(
      () => seenByAda.online === true && seenByBob.online === true && seenElsewhere.online === true,
    );
    for (const client of [a, elsewhere]) expect((await client.push('markRead')).params.seq).to.equal(1);
  });

  it('receive nothing of a group after the reply that they have left it', async () => {
    const [ada, bob] = await newUsers(2);
    const relay = await startRelay(nats.url);
    const isolated = await startServer({ NATS_URL: relay.url });
    await until(async () => (await metric(isolated, 'parley_nats_connected')) === 1);
    const [a, b] = [await on(ada, 0), await bob.connect(isolated.url)];
    const [theirs, own] = [await newGroup(a, bob), await newGroup(b, ada)];
    await b.push('addUserInGroup');
    const types: string[] = [];
    b.socket.on('message', (data) => types.push(JSON.parse(String(data)).type));
    relay.hold(); // messages of the other node arrive late
    for (const groupId of [theirs, own]) await a.done('messageInGroup', { groupId, content: 'late' });
    await b.done('leaveGroup', { groupId: theirs });
    await b.done('deleteGroup', { groupId: own });
    relay.release();
    for (const _ of [theirs, own]) await b.push('messageInGroup');
    expect(types).to.deep.equal(['messageInGroup', 'leaveGroup', 'messageInGroup', 'deleteGroup']);
    await isolated.close();
    await relay.cut();
  });

  it('receive the same pushes for messages that their node missed as for others', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = await Promise.all([on(ada, 0), on(bob, 1)]);
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
    await nats.stop();
    await until(async () => (await metric(nodes[1], 'parley_nats_connected')) === 0);
    await write();
    await nats.start();
    const filled = await pushes();
    const { data } = await b.done('getMessages', { groupId, afterSeq: seq });
    expect([...live, ...filled].map(shownByPush)).to.deep.equal(data.map(shownByRow));
    expect(filled.map(({ params }) => Object.keys(params).sort())).to.deep.equal(
      live.map(({ params }) => Object.keys(params).sort()),
    );
  });
});
