import { expect } from 'chai';
import { pino } from 'pino';
import { addToOutbox } from '../../src/bus/outbox.ts';
import { userTopic } from '../../src/bus/topics.ts';
import type { Database } from '../../src/database/database.ts';
import type { PreparedStatement } from '../../src/database/statements.ts';
import type { ChatId } from '../../src/ids.ts';
import { Reconciler } from '../../src/socket/Reconciler.ts';
import { blocksOfUsers, membershipsOfUser } from '../../src/socket/reconcile.sql.ts';
import type { Client, Frame } from '../support/client.ts';
import {
  database,
  databaseUrl,
  http,
  metric,
  newClients,
  newGroup,
  newUser,
  newUsers,
  type Person,
  type RunningServer,
  server,
  startServer,
  type User,
} from '../support/harness.ts';
import { id } from '../support/ids.ts';
import { type Relay, startRelay } from '../support/relay.ts';
import { until } from '../support/until.ts';
import { Node } from './node.ts';

/** Collects the messages of the pushes of a type that a client receives from now on. */
function pushed(client: Client, type: string): string[] {
  const messages: string[] = [];
  client.socket.on('message', (data) => {
    const frame: Frame = JSON.parse(String(data));
    if (frame.type === type && frame.success && frame.id === undefined) messages.push(frame.params.message);
  });
  return messages;
}

describe('after the answer of the database to a commit is lost', () => {
  let relay: Relay;
  let server: RunningServer;
  let ada: Person;
  let bob: Person;
  let eve: Person;

  before(async () => {
    relay = await startRelay(databaseUrl());
    server = await startServer({ DATABASE_URL: relay.url });
  });
  after(async () => {
    await server.close();
    await relay.cut();
  });
  beforeEach(async () => {
    const people = await Promise.all(
      [1, 2, 3].map(async () => {
        const user = await newUser(server.url);
        return { ...user, client: await user.connect() };
      }),
    );
    [ada, bob, eve] = people as [Person, Person, Person];
  });

  /** Sends a command whose statement with a text is not answered: a commit of a change of members, if it is COMMIT. */
  async function callLosing(text: string, client: Client, type: string, params: object): Promise<Frame> {
    const lost = relay.loseAnswerTo(text, text === 'COMMIT' ? 'chat_members' : undefined);
    const reply = client.call(type, params);
    await lost;
    return reply;
  }

  it('a removed member receives nothing more, and the removal is pushed once', async () => {
    const groupId = await newGroup(ada.client, bob, eve);
    await Promise.all([bob, eve].map(({ client }) => client.rest()));
    const [atBob, atEve] = [bob, eve].map(({ client }) => pushed(client, 'removeUserFromGroup')) as [
      string[],
      string[],
    ];
    await callLosing('COMMIT', ada.client, 'removeUserFromGroup', { groupId, userId: eve.id });
    await eve.client.push('removeUserFromGroup');
    for (const n of [1, 2, 3])
      await ada.client.done('messageInGroup', { groupId, content: `not for Eve ${n}` });
    await bob.client.next((frame) => frame.params?.message === 'not for Eve 3');
    expect((await eve.client.rest()).filter(({ type }) => type === 'messageInGroup')).to.deep.equal([]);
    expect([atBob.length, atEve.length]).to.deep.equal([1, 1]);
  });

  it('a changed password ends the other connections', async () => {
    const other = await bob.connect();
    const lost = relay.loseAnswerTo('COMMIT', 'users');
    const body = { password: 'another horse entirely', currentPassword: bob.password };
    const reply = http('PATCH', '/users/me', { url: server.url, token: bob.token, body });
    await lost;
    expect([200, 503]).to.include((await reply).status);
    expect(await Promise.all([other.closed, bob.client.closed])).to.deep.equal([4401, 4401]);
    const login = { username: bob.username, password: body.password };
    expect((await http('POST', '/auth/login', { url: server.url, body: login })).status).to.equal(200);
  });

  it('a new member receives the following messages, and so do the others', async () => {
    const groupId = await newGroup(ada.client, bob);
    await Promise.all([bob, eve].map(({ client }) => client.rest()));
    await callLosing('COMMIT', ada.client, 'addUserInGroup', { groupId, userId: eve.id });
    for (const { client } of [bob, eve])
      expect((await client.push('addUserInGroup')).params).to.include({ userId: eve.id });
    await ada.client.done('messageInGroup', { groupId, content: 'for all' });
    for (const { client } of [bob, eve])
      expect((await client.push('messageInGroup')).params.message).to.equal('for all');
  });

  it('a change is answered UNAVAILABLE if nothing is known of it for two seconds, and pushed when it is', async () => {
    const groupId = await newGroup(ada.client, bob, eve);
    await Promise.all([bob, eve].map(({ client }) => client.rest()));
    const [atBob, atEve] = [bob, eve].map(({ client }) => pushed(client, 'removeUserFromGroup'));
    const lost = relay.loseAnswerTo('COMMIT', 'chat_members');
    const reply = ada.client.call('removeUserFromGroup', { groupId, userId: eve.id });
    await lost;
    await relay.cut();
    expect((await reply).code).to.equal('UNAVAILABLE');
    await relay.restore();
    await eve.client.push('removeUserFromGroup');
    await ada.client.done('messageInGroup', { groupId, content: 'without Eve' });
    await bob.client.next((frame) => frame.params?.message === 'without Eve');
    expect([atBob?.length, atEve?.length]).to.deep.equal([1, 1]);
  });

  it('a new group is visible to all its members', async () => {
    await callLosing('COMMIT', ada.client, 'newGroup', { groupName: 'Climbers', userIds: [bob.id] });
    const { groupId } = (await bob.client.push('newGroup')).params;
    await bob.client.done('messageInGroup', { groupId, content: 'Here we are' });
    expect((await ada.client.push('messageInGroup')).params.message).to.equal('Here we are');
  });

  for (const [where, first] of [
    ['a dialog', false],
    ['a dialog that begins with it', true],
  ] as const)
    it(`a message in ${where} is pushed once without being sent again`, async () => {
      if (!first) await ada.client.done('privateMessage', { receiverId: bob.id, content: 'before' });
      // A connection that has received nothing of the dialog yet.
      const fresh = await bob.connect();
      const [old, news] = [pushed(bob.client, 'privateMessage'), pushed(fresh, 'privateMessage')];
      const message = { receiverId: bob.id, content: 'Are you there?', clientMessageId: 'once' };
      const lost = await callLosing('write', ada.client, 'privateMessage', message);
      expect(lost).to.include({ code: 'UNAVAILABLE' });
      await until(() => old.length > 0 && news.length > 0);
      await ada.client.done('privateMessage', { receiverId: bob.id, content: 'after' });
      await until(() => news.includes('after'));
      for (const messages of [old, news]) expect(messages).to.deep.equal(['Are you there?', 'after']);
    });

  it('a message in a dialog is pushed before one that follows it at once', async () => {
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'before' });
    const fresh = pushed(await bob.connect(), 'privateMessage');
    const lost = relay.loseAnswerTo('write');
    ada.client.send('privateMessage', { receiverId: bob.id, content: 'lost', clientMessageId: 'first' });
    await lost;
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'behind' });
    await until(() => fresh.includes('behind'));
    expect(fresh).to.deep.equal(['lost', 'behind']);
  });

  it('a message in a group is pushed once without being sent again, and its sender gets the reply', async () => {
    const groupId = await newGroup(ada.client, bob);
    await Promise.all([ada, bob].map(({ client }) => client.rest()));
    const [own, others] = [pushed(ada.client, 'messageInGroup'), pushed(bob.client, 'messageInGroup')];
    const message = { groupId, content: 'Are you there?', clientMessageId: 'once' };
    const lost = await callLosing('write', ada.client, 'messageInGroup', message);
    expect(lost).to.include({ code: 'UNAVAILABLE' });
    await until(() => others.length > 0);
    expect((await ada.client.done('messageInGroup', message)).seq).to.equal(3);
    await ada.client.done('messageInGroup', { groupId, content: 'after' });
    await until(() => others.includes('after'));
    expect(others).to.deep.equal(['Are you there?', 'after']);
    expect(own).to.deep.equal([]);
  });
});

describe('the outbox of publications', () => {
  it('is emptied of those that every node has read, with the next one', async () => {
    const topic = userTopic(id(1_000_000));
    const add = `insert into notices (topic, message, created_at)
      select $1, to_jsonb(minutes), now() - make_interval(mins => minutes) from unnest($2::int[]) minutes`;
    await database.execute(add, [topic, [9, 11, 60]]);
    await addToOutbox(database, topic, { signal: { kind: 'reconcile' } });
    const left = 'select message from notices where topic = $1 order by id';
    const rows = await database.query<{ message: unknown }>(left, [topic]);
    expect(rows.map(({ message }) => message)).to.deep.equal([9, { signal: { kind: 'reconcile' } }]);
  });
});

describe('a gap in a chat', () => {
  /** Writes messages past the server, as an import does. */
  async function importMessages(groupId: number, count: number): Promise<void> {
    await database.sequelize.query(
      `insert into messages (chat_id, seq, sender_id, kind, content)
      select id, last_seq + n, created_by, 'text', 'imported ' || n from chats, generate_series(1, $2) n where id = $1`,
      { bind: [groupId, count] },
    );
    await database.chats.increment({ lastSeq: count }, { where: { id: groupId } });
  }

  it('is filled from the database, in order, before the following messages', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    await importMessages(groupId, 600);
    const messages = pushed(bob.client, 'messageInGroup');
    const read = await metric(server, 'parley_messages_healed_total');
    await ada.client.done('messageInGroup', { groupId, content: 'new' });
    await until(() => messages.length > 600);
    expect(await metric(server, 'parley_messages_healed_total')).to.equal(read + 600);
    const expected = [...Array.from({ length: 600 }, (_, n) => `imported ${n + 1}`), 'new'];
    expect(messages).to.deep.equal(expected);
  });

  it('of too many messages to push makes the clients of the chat synchronise, and no others', async () => {
    const [ada, bob, eve] = await newClients(3);
    const groupId = await newGroup(ada.client, bob);
    await importMessages(groupId, 6_000);
    const messages = pushed(bob.client, 'messageInGroup');
    ada.client.send('messageInGroup', { groupId, content: 'new' });
    expect(await Promise.all([ada, bob].map(({ client }) => client.closed))).to.deep.equal([1012, 1012]);
    expect(messages.length).to.be.below(100);
    const again = await bob.connect();
    expect((await again.done('getMessages', { groupId, afterSeq: 6_001 })).data.at(-1).content).to.equal(
      'new',
    );
    await eve.client.done('ping');
    const b = await bob.connect();
    await (await ada.connect()).done('messageInGroup', { groupId, content: 'goes on' });
    expect((await b.push('messageInGroup')).params.message).to.equal('goes on');
  });
});

describe('a node that compares its connections with the database', () => {
  let node: Node;
  let reconciler: Reconciler;
  let failures = 0;
  /** Called once, after the node has read something from the database and before the answer arrives. */
  let onRead: { statement: string; change: () => Promise<void> } | undefined;

  beforeEach(() => {
    node = new Node();
    // The database fails a few times first, and the node retries.
    const failing: Pick<Database, 'query'> = {
      async query<Row extends object>(statement: string | PreparedStatement, bind: readonly unknown[]) {
        if (failures-- > 0) throw new Error('away');
        const rows = await database.query<Row>(statement, bind);
        if (onRead && statement === onRead.statement) {
          await onRead.change();
          onRead = undefined;
        }
        return rows;
      },
    };
    const log = pino({ level: 'silent' });
    reconciler = new Reconciler({ ...database, ...failing }, node.bus, node.connections, log);
  });
  afterEach(() => {
    reconciler.close();
    node.close();
  });

  /** Connections whose groups match the database. */
  async function connect(user: User, groupId?: ChatId, seq = 0) {
    await node.connect(user.id, []);
    const [connection] = node.connections.ofUser(user.id);
    if (!connection) throw new Error('not connected');
    if (groupId !== undefined)
      node.connections.groups.setMembership(user.id, { chatId: groupId, seq, firstSeq: 1, before: seq - 1 });
    return connection;
  }

  /** Resolves when the comparisons requested so far are finished. */
  async function compared(): Promise<void> {
    const user = await newUser();
    const last = await connect(user);
    await database.users.update({ tokenVersion: 2 }, { where: { id: user.id } });
    reconciler.user(user.id);
    await until(() => last.state === 'closed');
  }

  it('ends those with a revoked token, and retries until the database answers', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await connect(ada), await connect(bob)];
    await database.users.update({ tokenVersion: 2 }, { where: { id: bob.id } });
    failures = 2;
    reconciler.all();
    await until(() => b.state === 'closed');
    expect(a.state).to.equal('open');
  });

  it('repeats the comparison by itself', async () => {
    const ada = await newUser();
    const rounds = new Reconciler(database, node.bus, node.connections, pino({ level: 'silent' }), {
      min: 20,
      max: 40,
    });
    for (let tokenVersion = 2; tokenVersion < 5; tokenVersion++) {
      const connection = await connect(ada);
      await database.users.update({ tokenVersion }, { where: { id: ada.id } });
      await until(() => connection.state === 'closed');
      node.connections.remove(connection);
      node.tokenVersion = tokenVersion;
    }
    rounds.close();
  });

  it('reverts nothing that was delivered since it read the database', async () => {
    const [ada, eve] = await newClients(2);
    const groupId = await newGroup(ada.client, eve);
    const connection = await connect(eve, groupId, 2);
    await until(() => connection.groups.has(groupId));
    const change = async () => {
      await ada.client.done('removeUserFromGroup', { groupId, userId: eve.id });
      const membership = { left: [eve.id] };
      node.receive(`chat:${groupId}`, {
        frame: 'removed',
        membership,
        position: { chatId: groupId, seq: 3 },
      });
    };
    onRead = { statement: membershipsOfUser, change };
    connection.groups.set(groupId, 2); // something to correct
    reconciler.user(eve.id);
    await until(() => onRead === undefined);
    await compared();
    expect([...connection.groups]).to.deep.equal([]);
  });

  it('subscribes and unsubscribes users who joined and left without its knowledge', async () => {
    const [ada, bob, eve] = await newClients(3);
    const groupId = await newGroup(ada.client, eve);
    const [b, e] = [await connect(bob), await connect(eve, groupId, 2)];
    await until(() => e.groups.get(groupId) === 1);
    await ada.client.done('addUserInGroup', { groupId, userId: bob.id });
    await ada.client.done('removeUserFromGroup', { groupId, userId: eve.id });
    reconciler.user(bob.id);
    reconciler.user(eve.id);
    await until(() => b.groups.has(groupId) && !e.groups.has(groupId));
  });

  it('hides the presence of blocking and blocked users for as long as the block lasts', async () => {
    const [ada, bob, eve] = await newClients(3);
    const connection = await connect(ada);
    node.connections.presence.watch(connection, [bob.id, eve.id], 10);
    reconciler.all();
    await until(() => connection.watching?.watched.size === 2);
    await bob.client.done('blockUser', { userId: ada.id });
    reconciler.all();
    await until(() => connection.watching?.watched.size === 1);
    expect(connection.watching).to.deep.equal({ watched: new Set([eve.id]), hidden: new Set([bob.id]) });
    await bob.client.done('unblockUser', { userId: ada.id });
    reconciler.user(ada.id);
    await until(() => connection.watching?.watched.size === 2);
  });

  it('does not show the presence of a user again whom a block has hidden since it read the database', async () => {
    const [ada, bob] = await newClients(2);
    const connection = await connect(ada);
    node.connections.presence.watch(connection, [bob.id], 10);
    reconciler.user(ada.id);
    await until(() => connection.watching?.watched.size === 1);
    const change = async () => {
      await bob.client.done('blockUser', { userId: ada.id });
      node.receive(userTopic(ada.id), { signal: { kind: 'unwatch', userId: bob.id } });
    };
    onRead = { statement: blocksOfUsers, change };
    reconciler.user(ada.id);
    await until(() => onRead === undefined);
    await compared();
    expect(connection.watching).to.deep.equal({ watched: new Set(), hidden: new Set([bob.id]) });
  });

  it('compares one user again when the database does not answer', async () => {
    const bob = await newUser();
    const connection = await connect(bob);
    await database.users.update({ tokenVersion: 2 }, { where: { id: bob.id } });
    failures = 1;
    reconciler.user(bob.id);
    await until(() => connection.state === 'closed');
  });

  it('reads the newest seq of chats from which it received nothing', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    await connect(bob, groupId, 2);
    await ada.client.done('messageInGroup', { groupId, content: 'missed' });
    node.record.push({ seq: 3, frame: 'missed' });
    reconciler.all();
    await until(() => node.bus.position(`chat:${groupId}`, groupId) === 3);
  });
});
