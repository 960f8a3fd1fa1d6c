import { expect } from 'chai';
import type { Client } from '../support/client.ts';
import {
  database,
  metric,
  newGroup,
  newUsers,
  type RunningServer,
  startServer,
  type User,
} from '../support/harness.ts';
import { until } from '../support/until.ts';

describe('clientMessageId', () => {
  it('stores a repeated message once and answers with the first result', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(), await bob.connect()];
    const message = { receiverId: bob.id, content: 'once', clientMessageId: 'm-1' };
    const first = await a.call('privateMessage', message);
    const again = await a.call('privateMessage', message);
    expect(again.params).to.deep.equal(first.params);
    expect((await b.push('privateMessage')).params.messageId).to.equal(first.params.messageId);
    expect(await b.rest()).to.deep.equal([]);
  });

  it('recognises repeats inside one batch, and from two connections at once', async () => {
    const [ada, bob] = await newUsers(2);
    const clients = [await ada.connect(), await ada.connect()];
    const b = await bob.connect();
    const message = { receiverId: bob.id, content: 'once', clientMessageId: 'm-1' };
    const calls = clients.flatMap((client) =>
      Array.from({ length: 20 }, () => client.call('privateMessage', message)),
    );
    const answers = await Promise.all(calls);
    expect(new Set(answers.map(({ params }) => JSON.stringify(params)))).to.have.property('size', 1);
    await b.push('privateMessage');
    expect(await b.rest()).to.deep.equal([]);
    expect(await database.messages.count({ where: { senderId: ada.id } })).to.equal(1);
  });

  it('stores a message once that reaches two nodes at the same time, and fails no other of the batch', async () => {
    const [ada, bob] = await newUsers(2);
    const other = await startServer();
    const [here, there] = [await ada.connect(), await ada.connect(other.url)];
    await here.call('privateMessage', { receiverId: bob.id, content: 'the dialog exists' });

    for (let round = 0; round < 20; round++) {
      const calls = [here, there].flatMap((client, node) => [
        client.call('privateMessage', { receiverId: bob.id, content: `before ${node}` }),
        client.call('privateMessage', {
          receiverId: bob.id,
          content: 'once',
          clientMessageId: `round ${round}`,
        }),
        client.call('privateMessage', { receiverId: bob.id, content: `after ${node}` }),
      ]);
      const answers = await Promise.all(calls);
      expect(answers.every(({ success }) => success)).to.equal(true);
      expect(answers[4].params).to.deep.equal(answers[1].params);
    }
    const stored = await database.messages.findAll({ where: { senderId: ada.id }, order: ['seq'] });
    expect(stored.map(({ seq }) => seq)).to.deep.equal(Array.from({ length: 101 }, (_, index) => index + 1));
    await other.close();
  });

  it('is answered with the first result on another node and after the sender has left', async () => {
    const [ada] = await newUsers(1);
    const a = await ada.connect();
    const groupId = await newGroup(a);
    const message = { groupId, content: 'once', clientMessageId: 'm-1' };
    const first = await a.call('messageInGroup', message);
    await a.call('leaveGroup', { groupId });
    const other = await startServer();
    const elsewhere = await ada.connect(other.url);
    expect((await elsewhere.call('messageInGroup', message)).params).to.deep.equal(first.params);
    await other.close();
  });

  it('belongs to its sender only', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(), await bob.connect()];
    const groupId = await newGroup(a, bob);
    const message = { groupId, content: 'mine', clientMessageId: 'same' };
    const answers = [await a.call('messageInGroup', message), await b.call('messageInGroup', message)];
    expect(answers.map(({ params }) => params.seq)).to.deep.equal([3, 4]);
  });

  it('is refused for a message in another chat, which would not be stored', async () => {
    const [ada, bob, cleo] = await newUsers(3);
    const a = await ada.connect();
    const to = (receiverId: number) => ({ receiverId, content: 'hi', clientMessageId: 'm-1' });
    const apart = [await a.call('privateMessage', to(bob.id)), await a.call('privateMessage', to(cleo.id))];
    expect(apart.map(({ code }) => code)).to.deep.equal([undefined, 'CONFLICT']);

    const dave = { ...to(bob.id), clientMessageId: 'm-2' };
    const together = [
      a.call('privateMessage', dave),
      a.call('privateMessage', { ...dave, receiverId: cleo.id }),
    ];
    expect((await Promise.all(together)).map(({ code }) => code)).to.deep.equal([undefined, 'CONFLICT']);
  });

  it('stays unused when the message is refused', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(), await bob.connect()];
    const groupId = await newGroup(b);
    const message = { groupId, content: 'let me in', clientMessageId: 'm-1' };
    const calls = [a.call('messageInGroup', message)];
    calls.push(a.call('privateMessage', { receiverId: bob.id, content: 'please', clientMessageId: 'm-1' }));
    const [refused, stored] = await Promise.all(calls);
    expect([refused.code, stored.success]).to.deep.equal(['NOT_A_MEMBER', true]);
  });

  it('has 1 to 64 characters', async () => {
    const [ada] = await newUsers(1);
    const a = await ada.connect();
    const call = (clientMessageId: unknown) =>
      a.call('privateMessage', { receiverId: ada.id, content: 'x', clientMessageId });
    expect((await call('ü'.repeat(64))).success).to.equal(true);
    for (const wrong of ['', 'x'.repeat(65), 7, null, 'a\0b'])
      expect((await call(wrong)).code).to.equal('BAD_REQUEST');
  });
});

describe('a client id that reaches two nodes at the same moment', function () {
  this.timeout(60_000);
  const ROUNDS = 50;
  let other: RunningServer;
  let ada: User;
  let bob: User;
  let nodes: [Client, Client];

  before(async () => {
    other = await startServer();
  });
  after(() => other.close());
  beforeEach(async () => {
    [ada, bob] = await newUsers(2);
    nodes = [await ada.connect(), await ada.connect(other.url)];
  });

  /** The statement that lists the nodes whose batch waits for a lock. */
  const waiting = `
    select from pg_stat_activity where application_name = 'parley writer' and wait_event_type = 'Lock'`;
  /** Returns the answers of both nodes to the same command. */
  const onBoth = (type: string, params: object) => Promise.all(nodes.map((node) => node.done(type, params)));

  it('stores one message, and both nodes answer with it', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const message = { receiverId: bob.id, content: 'once', clientMessageId: `round ${round}` };
      const [one, two] = await onBoth('privateMessage', message);
      expect(two).to.deep.equal(one);
      expect(one.seq).to.equal(round + 1);
    }
    expect(await database.messages.count({ where: { senderId: ada.id } })).to.equal(ROUNDS);
  });

  it('is answered with the first message by a node that checked before it was stored, others in order', async () => {
    await nodes[0].done('privateMessage', { receiverId: bob.id, content: 'the dialog exists' });
    const calls = await database.transaction(async (transaction) => {
      const lock =
        'select from chats where user_low = least($1::bigint, $2::bigint) and user_high = greatest($1, $2) for update';
      await database.query(lock, [ada.id, bob.id], transaction);
      const sends = nodes.map((node) => [
        node.done('privateMessage', { receiverId: bob.id, content: 'once', clientMessageId: 'm-1' }),
      ]);
      await until(async () => (await database.query(waiting, [])).length === 2);
      for (const [at, node] of nodes.entries())
        for (const content of ['second', 'third'])
          sends[at]?.push(node.done('privateMessage', { receiverId: bob.id, content }));
      return sends;
    });
    const answers = await Promise.all(calls.map((sends) => Promise.all(sends)));
    for (const [first, second, third] of answers) {
      expect(first).to.deep.equal(answers[0]?.[0]);
      expect([first.seq, second.seq < third.seq]).to.deep.equal([2, true]);
    }
    expect(await database.messages.count({ where: { senderId: ada.id } })).to.equal(1 + 5);
  });

  it('causes no deadlock between nodes, whatever the order of many ids', async () => {
    await database.sequelize.query(`alter role current_user set deadlock_timeout = '1h'`);
    const servers = [await startServer(), await startServer()];
    try {
      const clients = await Promise.all(servers.map(({ url }) => ada.connect(url)));
      const groups = await Promise.all(clients.map((client) => newGroup(client)));
      const send = (node: number, clientMessageId: string) =>
        clients[node]?.call('messageInGroup', { groupId: groups[node], content: 'x', clientMessageId });
      const ids = Array.from({ length: 200 }, (_, n) => `m-${n}`);
      const calls = await database.transaction(async (transaction) => {
        const lock = 'select from chats where id = any (array[$1, $2]::bigint[]) for update';
        await database.query(lock, groups, transaction);
        const first = [send(0, 'first'), send(1, 'second')];
        await until(async () => (await database.query(waiting, [])).length === 2);
        // The commands sent in the meantime are one batch of each node.
        const rest = ids.flatMap((id, n) => [send(0, id), send(1, ids.at(-1 - n) as string)]);
        const queued = async (running: RunningServer) =>
          (await metric(running, 'parley_writer_queue')) === 200;
        for (const running of servers) await until(() => queued(running));
        return [...first, ...rest];
      });
      const codes = (await Promise.all(calls)).map(({ code = 'ok' }) => code);
      expect(codes.filter((code) => code === 'ok')).to.have.length(202);
      expect(codes.filter((code) => code === 'CONFLICT')).to.have.length(200);
    } finally {
      await database.sequelize.query('alter role current_user reset deadlock_timeout');
      await Promise.all(servers.map((running) => running.close()));
    }
  });

  it('creates one group, public or private, and both nodes answer with it', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const group = {
        groupName: `Climbers ${ada.id} ${round}`,
        isPrivate: round % 2 === 0,
        clientMessageId: `round ${round}`,
      };
      const [one, two] = await onBoth('newGroup', group);
      expect(two).to.deep.equal(one);
    }
    expect(await database.chats.count({ where: { createdBy: ada.id } })).to.equal(ROUNDS);
  });

  it('identifies a group or a message, whichever was first, and the other is refused', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const clientMessageId = `round ${round}`;
      const [here, there] = round % 2 === 0 ? nodes : nodes.toReversed();
      const answers = await Promise.all([
        here?.call('newGroup', { groupName: 'Climbers', clientMessageId }),
        there?.call('privateMessage', { receiverId: bob.id, content: 'x', clientMessageId }),
      ]);
      expect(answers.map(({ code = 'ok' }) => code)).to.have.members(['ok', 'CONFLICT']);
    }
  });

  it('creates one invite, and forwards a message once', async () => {
    const groupId = await newGroup(nodes[0]);
    const { messageId } = await nodes[0].done('messageInGroup', { groupId, content: 'on' });
    for (let round = 0; round < ROUNDS; round++) {
      const [invite, same] = await onBoth('createInvite', { groupId, clientInviteId: `${round}` });
      expect(same).to.deep.equal(invite);
      const copy = { messageId, receiverId: bob.id, clientMessageId: `${round}` };
      const [forwarded, again] = await onBoth('forwardMessage', copy);
      expect(again).to.deep.equal(forwarded);
    }
  });
});
