import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { userTopic } from '../../src/bus/topics.ts';
import { Client, type Frame, Refused } from '../support/client.ts';
import { type IsolatedNode, useCluster } from '../support/cluster.ts';
import {
  connectAs,
  database,
  databaseUrl,
  http,
  metric,
  newGroup,
  newUsers,
  type User,
} from '../support/harness.ts';
import { startRelay } from '../support/relay.ts';
import { until } from '../support/until.ts';

const ADMIN = fileURLToPath(new URL('../../dist/admin/main.js', import.meta.url));

const noticesOf = 'select from notices where topic = $1';

/** Collects the contents of the messages that are pushed to a client, and the types of pushes without one. */
function pushesOf(client: Client): string[] {
  const all: string[] = [];
  client.socket.on('message', (data) => {
    const { type, id, params }: Frame = JSON.parse(String(data));
    if (id === undefined) all.push(/^(privateMessage|messageInGroup)$/.test(type) ? params.message : type);
  });
  return all;
}

describe('at an exact moment', function () {
  this.timeout(60_000);
  const cluster = useCluster(1);
  let node: IsolatedNode;

  before(() => {
    node = cluster.isolated;
  });

  /** Returns another token of a user. */
  const logIn = async ({ username, password }: User): Promise<string> => {
    const body = { username, password };
    return (await http('POST', '/auth/login', { url: cluster.url(0), body })).body.token;
  };

  describe('during an upgrade: a connection', () => {
    /** Connects a user to the node; a change happens after its state was read and before that has arrived. */
    async function connectDuring(
      user: User,
      change: () => Promise<unknown>,
      to = node,
    ): Promise<Client | number> {
      const reading = to.toDatabase.holdAnswerTo('admission');
      const opening = connect(user, to);
      const release = await reading;
      await change();
      release();
      return opening;
    }

    /** Connects a user to the node; a change happens after it was subscribed, and before its socket is open. */
    async function connectBefore(user: User, change: () => Promise<unknown>): Promise<Client | number> {
      return connectDuring(user, async () => {
        node.toNats.hold();
        setImmediate(() => void change().then(() => node.toNats.release()));
      });
    }

    /** Resolves to the connection, or to the status of the refusal. */
    const connect = (user: User, { url }: IsolatedNode): Promise<Client | number> =>
      user.connect(url).catch((error) => {
        if (error instanceof Refused) return error.status;
        throw error;
      });

    async function opened(connecting: Promise<Client | number>): Promise<Client> {
      const client = await connecting;
      if (!(client instanceof Client)) throw new Error(`the upgrade was answered ${client}`);
      return client;
    }

    const changePassword = ({ token, password }: User) => {
      const body = { password: 'another horse entirely', currentPassword: password };
      return http('PATCH', '/users/me', { url: cluster.url(0), token, body });
    };

    const endings: Record<string, (user: User, witness: Client) => Promise<unknown>> = {
      'the password is changed': changePassword,
      'the account is deleted': ({ token, password }) =>
        http('DELETE', '/users/me', { url: cluster.url(0), token, body: { password } }),
      'the account is disabled': ({ id }) =>
        promisify(execFile)(process.execPath, [ADMIN, 'user', 'disable', `${id}`], {
          env: { DATABASE_URL: databaseUrl() },
        }),
      'its token is ended by a connection with the same one': async (user) =>
        (await cluster.on(user, 0)).done('endSession'),
      'its token is ended by another device': async (user, witness) => {
        const [{ sessionId }] = (await witness.done('listSessions', { live: true })).data;
        const device = await connectAs(await logIn(user), cluster.url(0));
        return device.done('endSession', { sessionId });
      },
      'another device ends all other sessions': async (user) =>
        (await connectAs(await logIn(user), cluster.url(0))).done('endOtherSessions'),
    };
    for (const [what, end] of Object.entries(endings))
      it(`is refused when ${what}, on another node`, async () => {
        const [ada] = await newUsers(1);
        const witness = await ada.connect(node.url);
        const outcome = await connectDuring(ada, async () => {
          await end(ada, witness);
          expect(await witness.closed).to.equal(4401); // the node knows it
        });
        expect(outcome).to.equal(401);
      });

    it('is refused when the password is changed after it was subscribed', async () => {
      const [ada] = await newUsers(1);
      expect(await connectBefore(ada, () => changePassword(ada))).to.equal(401);
    });

    it('is refused by a node that begins to stop', async () => {
      const [ada] = await newUsers(1);
      const stopping = await cluster.startIsolated();
      const outcome = await connectDuring(ada, async () => void stopping.close(), stopping);
      expect(outcome).to.equal(503);
    });

    it('is not counted any more when its client has gone', async () => {
      const [ada] = await newUsers(1);
      const witness = await ada.connect(node.url);
      const relay = await startRelay(node.url);
      const reading = node.toDatabase.holdAnswerTo('admission');
      const opening = ada.connect(relay.url).catch(() => 'cut');
      const release = await reading;
      expect(await metric(node, 'parley_connections')).to.equal(2);
      await relay.cut();
      expect(await opening).to.equal('cut');
      await until(async () => (await metric(node, 'parley_connections')) === 1, 5_000);
      release();
      await witness.done('listSessions', { live: true });
      expect(await metric(node, 'parley_connections')).to.equal(1);
    });

    it('is opened although NATS goes away while it waits for it', async () => {
      const [ada] = await newUsers(1);
      const connecting = connectDuring(ada, async () => {
        node.toNats.hold();
        setImmediate(() => void node.toNats.cut());
      });
      await (await opened(connecting)).done('ping');
    });

    it('follows a group that its user is added to, from the next message on', async () => {
      const [ada, bob] = await newUsers(2);
      const [a, witness] = [await cluster.on(ada, 0), await bob.connect(node.url)];
      const groupId = await newGroup(a);
      const connecting = connectDuring(bob, async () => {
        await a.done('addUserInGroup', { groupId, userId: bob.id });
        await witness.push('addUserInGroup');
      });
      const b = await opened(connecting);
      await a.done('messageInGroup', { groupId, content: 'welcome' });
      expect((await b.push('messageInGroup')).params.message).to.equal('welcome');
    });

    const departures: Record<string, (groupId: number, own: Client, owner: Client, user: User) => unknown> = {
      'its user is removed from': (groupId, _, owner, { id: userId }) =>
        owner.done('removeUserFromGroup', { groupId, userId }),
      'its user leaves': (groupId, own) => own.done('leaveGroup', { groupId }),
    };
    for (const [what, depart] of Object.entries(departures))
      for (const [when, connectWith] of [
        ['after it was read', connectDuring],
        ['after it was subscribed', connectBefore],
      ] as const)
        it(`receives nothing of a group that ${what} ${when}`, async () => {
          const [ada, bob] = await newUsers(2);
          const [a, own] = [await cluster.on(ada, 0), await cluster.on(bob, 0)];
          const member = await ada.connect(node.url); // the node follows the group
          const groupId = await newGroup(a, bob);
          await member.push('addUserInGroup');
          const change = async () => {
            await depart(groupId, own, a, bob);
            if (connectWith === connectDuring) await member.next(({ params }) => params?.userId === bob.id);
          };
          const b = await opened(connectWith(bob, change));
          const pushes = pushesOf(b);
          await a.done('messageInGroup', { groupId, content: 'not for Bob' });
          await a.done('privateMessage', { receiverId: bob.id, content: 'for Bob' });
          await until(() => pushes.includes('for Bob'));
          expect(pushes).not.to.include('not for Bob');
        });
  });

  describe('between a commit and its pushes', () => {
    it('a message that others overtake is pushed once, in its place, and answered before what follows', async () => {
      const [ada, bob] = await newUsers(2);
      const [a, device, b] = [
        await ada.connect(node.url),
        await cluster.on(ada, 0),
        await cluster.on(bob, 0),
      ];
      const groupId = await newGroup(device, bob);
      await a.push('newGroup');
      await a.done('messageInGroup', { groupId, content: 'before' });
      await b.next(({ params }) => params?.message === 'before');
      const [atAda, atBob] = [pushesOf(a), pushesOf(b)];
      const committed = node.toDatabase.holdAnswerTo('write');
      const sent = a.send('messageInGroup', { groupId, content: 'held' });
      const release = await committed;
      await b.done('messageInGroup', { groupId, content: 'behind' });
      await device.next(({ params }) => params?.message === 'behind');
      expect((await device.done('getMessages', { groupId })).data.at(-2).content).to.equal('held');
      release();
      const { params } = await a.reply(sent);
      await a.next((frame) => frame.params?.message === 'behind');
      expect(atAda).to.deep.equal(['behind']); // not its own, for which it has the reply
      await a.done('messageInGroup', { groupId, content: 'last' });
      await until(() => atBob.includes('last'));
      expect(atBob).to.deep.equal(['held', 'last']);
      expect(params.seq).to.equal(4);
    });

    it('of a change of members, nobody misses it, and nobody gets it twice', async () => {
      const [ada, bob, eve] = await newUsers(3);
      const [a, b, e] = [await ada.connect(node.url), await cluster.on(bob, 0), await cluster.on(eve, 0)];
      const groupId = await newGroup(a, bob);
      await b.push('addUserInGroup');
      const [atBob, atEve] = [pushesOf(b), pushesOf(e)];
      const committed = node.toDatabase.holdAnswerTo('COMMIT', 'chat_members');
      const added = a.send('addUserInGroup', { groupId, userId: eve.id });
      const release = await committed;
      await b.done('messageInGroup', { groupId, content: 'behind' }); // its gap is read from the database
      await until(() => atBob.includes('addUserInGroup'));
      release();
      expect((await a.reply(added)).success).to.equal(true);
      await a.done('messageInGroup', { groupId, content: 'last' });
      await until(() => atBob.includes('last') && atEve.includes('last'));
      expect(atBob).to.deep.equal(['addUserInGroup', 'last']);
      expect(atEve).to.deep.equal(['addUserInGroup', 'behind', 'last']);
    });

    it('a node is killed: the repeat is answered with the stored message, which everybody gets once', async () => {
      const toDatabase = await startRelay(databaseUrl());
      const doomed = await cluster.startProcess({ DATABASE_URL: toDatabase.url });
      const [ada, bob] = await newUsers(2);
      const [a, own, b] = [
        await ada.connect(doomed.url),
        await ada.connect(node.url),
        await cluster.on(bob, 0),
      ];
      const message = { receiverId: bob.id, content: 'Are you there?', clientMessageId: 'once' };
      await a.done('privateMessage', { receiverId: bob.id, content: 'before' });
      for (const client of [own, b]) await client.push('privateMessage');
      const [atOwn, atBob] = [pushesOf(own), pushesOf(b)];
      const committed = toDatabase.holdAnswerTo('write');
      a.send('privateMessage', message);
      await committed;
      await doomed.stop('SIGKILL');
      const elsewhere = await cluster.on(ada, 0);
      const stored = await elsewhere.done('privateMessage', message);
      expect(stored.seq).to.equal(2);
      expect(await elsewhere.done('privateMessage', message)).to.deep.equal(stored);
      await elsewhere.done('privateMessage', { receiverId: bob.id, content: 'after' });
      await until(() => atOwn.includes('after') && atBob.includes('after'));
      for (const pushes of [atOwn, atBob]) expect(pushes).to.deep.equal(['Are you there?', 'after']);
      expect(await database.messages.count({ where: { senderId: ada.id } })).to.equal(3);
      await toDatabase.cut();
    });
  });

  describe('at which a node has no way to the others any more', () => {
    /** Two connections of a user with different tokens, and a third to the other node. */
    async function connectDevices() {
      const [ada] = await newUsers(1);
      const there = await cluster.on(ada, 0);
      await there.done('listSessions'); // from here on all nodes list it
      const token = await logIn(ada);
      const own = await connectAs(token, node.url);
      return { ada, token, own, there };
    }
    const endings: Record<string, (device: Awaited<ReturnType<typeof connectDevices>>) => Promise<unknown>> =
      {
        'a changed password': ({ token, ada: { password: currentPassword } }) => {
          const body = { password: 'another horse entirely', currentPassword };
          return http('PATCH', '/users/me', { url: node.url, token, body });
        },
        'the end of a session': async ({ own }) => {
          const { data } = await own.done('listSessions', { live: true });
          const { sessionId } = data.find(({ current }: { current: boolean }) => !current);
          return own.done('endSession', { sessionId });
        },
        'the end of all other sessions': ({ own }) => own.done('endOtherSessions'),
      };
    for (const [what, end] of Object.entries(endings))
      it(`${what} closes the connections of the token there`, async () => {
        const devices = await connectDevices();
        await node.cutOff();
        await end(devices);
        const written = await database.query(noticesOf, [userTopic(devices.ada.id)]);
        expect(written).to.have.lengthOf(1); // within the transaction: it survives the node
        expect(await devices.there.closed).to.equal(4401);
      });
  });

  it('between a push and its reply a connection breaks: the repeat gets the same reply, and is not pushed', async () => {
    const [ada, bob] = await newUsers(2);
    const relay = await startRelay(node.url);
    const [a, b] = [await ada.connect(relay.url), await cluster.on(bob, 0)];
    const pushes = pushesOf(b);
    const message = { receiverId: bob.id, content: 'once', clientMessageId: 'one' };
    relay.mute();
    a.send('privateMessage', message);
    const { params } = await b.push('privateMessage');
    relay.drop();
    await a.closed;
    const again = await cluster.on(ada, 0);
    const { messageId, seq } = await again.done('privateMessage', message);
    expect({ messageId, seq }).to.deep.equal({ messageId: params.messageId, seq: 1 });
    await again.done('privateMessage', { receiverId: bob.id, content: 'next' });
    await until(() => pushes.includes('next'));
    expect(pushes).to.deep.equal(['once', 'next']);
    await relay.cut();
  });

  it('of subscribing to presence, another block ends: the state is in the reply, and is not pushed as well', async () => {
    const [ada, bob, cleo] = await newUsers(3);
    const [client, other] = [await ada.connect(node.url), await cluster.on(cleo, 0)];
    const witness = await bob.connect(node.url);
    await other.done('blockUser', { userId: ada.id });
    const reading = node.toDatabase.holdAnswerTo('unblocked users');
    const subscribing = client.done('subscribePresence', { userIds: [bob.id] });
    const answer = await reading;
    const comparing = node.toDatabase.holdAnswerTo('blocked_id as other');
    await other.done('unblockUser', { userId: ada.id });
    (await comparing)();
    await witness.done('getProfile'); // read after the comparison
    answer();
    expect((await subscribing).data).to.deep.equal([{ userId: bob.id, online: true, lastSeenAt: null }]);
    await client.done('getPresence', { userIds: [bob.id] });
    expect(await client.rest()).to.deep.equal([]);
  });

  it('of reading a gap, a member is removed: nothing behind the removal is pushed to them', async () => {
    const [ada, bob, eve] = await newUsers(3);
    const [a, b, e] = [await cluster.on(ada, 0), await bob.connect(node.url), await eve.connect(node.url)];
    const groupId = await newGroup(a, bob, eve);
    for (const client of [b, e]) await client.next(({ params }) => params?.userId === eve.id);
    await node.cutOff();
    await a.done('messageInGroup', { groupId, content: 'missed' });
    const [atBob, atEve] = [pushesOf(b), pushesOf(e)];
    const reading = node.toDatabase.holdAnswerTo('missed messages');
    await node.reconnect();
    const release = await reading;
    await a.done('removeUserFromGroup', { groupId, userId: eve.id });
    await a.done('messageInGroup', { groupId, content: 'secret' });
    release();
    await until(() => atBob.includes('secret'));
    expect(atBob).to.deep.equal(['missed', 'removeUserFromGroup', 'secret']);
    expect(atEve).to.deep.equal(['missed', 'removeUserFromGroup']);
  });

  for (const [direction, way] of [
    ['request', 'to'],
    ['answer', 'from'],
  ] as const)
    it(`within a publication the line of a node ${way} NATS breaks: every push arrives once`, async () => {
      const [ada, bob] = await newUsers(2);
      const url = direction === 'request' ? [node.url, cluster.url(0)] : [cluster.url(0), node.url];
      const [a, b] = [await ada.connect(url[0]), await bob.connect(url[1])];
      const { messageId } = await a.done('privateMessage', { receiverId: bob.id, content: '1' });
      const second = await a.done('privateMessage', { receiverId: bob.id, content: '2' });
      await b.next(({ params }) => params?.message === '2');
      const pushes = pushesOf(b);
      const cut = node.toNats.cutBefore('cut here', direction);
      await Promise.all([
        a.done('editMessage', { messageId, content: 'one' }),
        a.done('editMessage', { messageId: second.messageId, content: 'cut here' }),
        a.done('privateMessage', { receiverId: bob.id, content: '3' }),
        a.done('pinMessage', { messageId }),
      ]);
      await cut;
      await a.done('privateMessage', { receiverId: bob.id, content: '4' });
      await until(() => pushes.length >= 5);
      await a.done('unpinMessage', { messageId });
      await until(() => pushes.includes('unpinMessage'));
      expect(pushes.toSorted()).to.deep.equal(
        ['3', '4', 'editMessage', 'editMessage', 'pinMessage', 'unpinMessage'].toSorted(),
      );
    });
});
