import { mock } from 'node:test';
import { expect } from 'chai';
import { WebSocket } from 'ws';
import type { Push } from '../../src/client/index.ts';
import type { connect } from '../../src/client/node.ts';
import { SETTLED_AFTER } from '../../src/client/Synchroniser.ts';
import {
  database,
  databaseUrl,
  freePort,
  newClients,
  newGroup,
  newUsers,
  server,
  startServer,
  typedClient,
} from '../support/harness.ts';
import { type Relay, startRelay } from '../support/relay.ts';
import { until } from '../support/until.ts';
import { through } from './network.ts';

type TypedClient = ReturnType<typeof connect>;
type Emitted = { readonly seq: number; readonly message: string | null; readonly own: boolean };

/** Collects all events of one group from a client, its own messages included, in the order of arrival. */
function emittedOf(client: TypedClient, groupId: number): Emitted[] {
  const emitted: Emitted[] = [];
  const keep = (own: boolean) => (push: Push) => {
    const { params } = push;
    if ('createdAt' in params && 'groupId' in params && params.groupId === groupId)
      emitted.push({ seq: params.seq, message: params.message, own });
  };
  client.on('push', keep(false));
  client.on('sent', keep(true));
  return emitted;
}

/** Checks that a client emitted each message of a group from `first` on once, in order, as it is stored. */
async function expectAllEmitted(emitted: Emitted[], groupId: number, first: number): Promise<void> {
  const rows = await database.messages.findAll({ where: { chatId: groupId }, order: [['seq', 'asc']] });
  const stored = rows
    .filter(({ seq }) => seq >= first)
    .map(({ seq, content }) => ({ seq, message: content }));
  await until(() => emitted.length >= stored.length);
  expect(emitted.map(({ seq, message }) => ({ seq, message }))).to.deep.equal(stored);
}

describe('the delivery of the typed client', () => {
  let relay: Relay;
  beforeEach(async () => {
    relay = await startRelay(server.url);
  });
  afterEach(() => relay.cut());

  it('stores a message once when the connection breaks between the commit and the reply', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const client = typedClient(ada, { url: relay.url });
    const emitted = emittedOf(client, groupId);
    await client.online();
    relay.mute();
    const sent = client.call('messageInGroup', { groupId, content: 'once' });
    expect((await bob.client.push('messageInGroup')).params).to.include({ message: 'once', seq: 3 });
    relay.drop();
    expect((await sent).seq).to.equal(3);
    await client.call('messageInGroup', { groupId, content: 'after' });
    await client.online();
    expect(emitted).to.deep.equal([
      { seq: 3, message: 'once', own: true },
      { seq: 4, message: 'after', own: true },
    ]);
    expect((await bob.client.rest()).map(({ params }) => params.message)).to.include.members(['after']);
    await expectAllEmitted(emitted, groupId, 3);
  });

  it('stores and emits each message once, in order, wherever in a frame the connection breaks', async function () {
    this.timeout(60_000);
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const people = [typedClient(ada, { url: relay.url }), typedClient(bob, { url: relay.url })];
    const emitted = people.map((client) => emittedOf(client, groupId));
    await Promise.all(people.map((client) => client.online()));
    const seqs: number[][] = [[], []];
    for (let round = 0; round < 15; round++) {
      relay.cutAfter(50 + Math.floor(Math.random() * 4_000));
      const calls = people.flatMap((client, index) =>
        Array.from({ length: 12 }, async (_, n) => {
          const content = `${index} ${round * 12 + n}`;
          seqs[index]?.push((await client.call('messageInGroup', { groupId, content })).seq);
        }),
      );
      await Promise.all(calls);
    }
    relay.cutAfter(Number.POSITIVE_INFINITY);
    await Promise.all(people.map((client) => client.online()));
    for (const [index, all] of emitted.entries()) {
      await expectAllEmitted(all, groupId, 3);
      // each sender's own messages, in the order they were sent, and each call answered with its position
      const own = all.filter(({ own }) => own);
      expect(own.map(({ message }) => message)).to.deep.equal(own.map((_, n) => `${index} ${n}`));
      expect(own.map(({ seq }) => seq)).to.deep.equal(seqs[index]);
      expect(own).to.have.length(15 * 12);
    }
  });

  it('emits messages in order without a gap when the connection breaks repeatedly during a catch-up', async function () {
    this.timeout(60_000);
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const client = typedClient(bob, { url: relay.url });
    const emitted = emittedOf(client, groupId);
    await client.online();
    const states: string[] = [];
    client.on('state', (state) => states.push(`${state} ${emitted.length}`));
    await relay.cut();
    await Promise.all(
      Array.from({ length: 1_500 }, (_, n) =>
        ada.client.done('messageInGroup', { groupId, content: `${n}` }),
      ),
    );
    // three pages of some 250 KB: each attempt gets a little further
    for (let bytes = 1_000; bytes < 600_000; bytes *= 3) {
      relay.cutAfter(bytes);
      if (bytes === 1_000) await relay.restore();
      await ada.client.done('messageInGroup', { groupId, content: `while ${bytes}` });
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    await client.online();
    await expectAllEmitted(emitted, groupId, 3);
    const [, online] = states;
    expect(Number(online?.split(' ')[1])).to.be.at.least(1_500); // not before all events were emitted
  });

  it('survives a restart of the server in the middle of sending', async function () {
    this.timeout(60_000);
    const PORT = String(await freePort());
    let target = await startServer({ PORT });
    const [ada, bob] = await newUsers(2);
    const client = typedClient(ada, { url: target.url });
    await client.online();
    const { groupId } = await client.call('newGroup', { groupName: 'Climbers', userIds: [bob.id] });
    const other = typedClient(bob, { url: target.url });
    await other.online();
    const emitted = emittedOf(other, groupId);
    const sends: Promise<{ seq: number }>[] = [];
    const send = (n: number) => sends.push(client.call('messageInGroup', { groupId, content: `${n}` }));
    for (let n = 0; n < 100; n++) send(n);
    await sends[10];
    const stopped = target.close();
    for (let n = 100; n < 150; n++) send(n);
    await stopped;
    for (let n = 150; n < 200; n++) send(n);
    target = await startServer({ PORT });
    const seqs = (await Promise.all(sends)).map(({ seq }) => seq);
    expect(seqs).to.deep.equal(Array.from({ length: 200 }, (_, n) => n + 2));
    await other.online();
    await expectAllEmitted(emitted, groupId, 2);
    client.close();
    other.close();
    await target.close();
  });

  it('waits until the database is back', async () => {
    const relay = await startRelay(databaseUrl());
    const target = await startServer({ DATABASE_URL: relay.url });
    const [ada, bob] = await newUsers(2);
    let refusals = 0;
    const open = through((frame, pass) => {
      if (frame.code === 'UNAVAILABLE') refusals++;
      pass();
    });
    const client = typedClient(ada, { url: target.url, open });
    const to = { receiverId: bob.id };
    await client.call('privateMessage', { ...to, content: '1' });
    await relay.cut();
    const calls = ['2', '3', '4'].map((content) => client.call('privateMessage', { ...to, content }));
    const read = client.call('listLastMessage');
    await until(() => refusals >= 2);
    await relay.restore();
    expect((await Promise.all(calls)).map(({ seq }) => seq)).to.deep.equal([2, 3, 4]);
    expect((await read).data).to.have.length(1);
    client.close();
    await target.close();
    await relay.cut();
  });

  it('waits for the rate limits, in order', async function () {
    this.timeout(60_000);
    const target = await startServer({ RATE_LIMITS: 'on', COMMAND_BURST: '30', COMMANDS_PER_SECOND: '30' });
    const [ada] = await newUsers(1);
    let refusals = 0;
    const open = through((frame, pass) => {
      if (frame.code === 'RATE_LIMITED') refusals++;
      pass();
    });
    const client = typedClient(ada, { url: target.url, open });
    await client.online();
    const reads = Array.from({ length: 40 }, () => client.call('getProfile')); // which take all that there is
    const contents = Array.from({ length: 20 }, (_, n) => `${n}`);
    const sent = await Promise.all(
      contents.map((content) => client.call('privateMessage', { receiverId: ada.id, content })),
    );
    await Promise.all(reads);
    expect(refusals).to.be.at.least(1);
    expect(sent.map(({ seq }) => seq)).to.deep.equal(contents.map((_, n) => n + 1));
    client.close();
    await target.close();
  });

  it('sends in the order of the calls, also those made while offline', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const client = typedClient(ada, { url: relay.url });
    await client.online();
    await relay.cut();
    const sends = Array.from({ length: 20 }, (_, n) =>
      client.call('messageInGroup', { groupId, content: `${n}` }),
    );
    const reaction = client.call('updateGroup', { groupId, groupName: `Group ${groupId}` });
    await relay.restore();
    expect((await Promise.all(sends)).map(({ seq }) => seq)).to.deep.equal(sends.map((_, n) => n + 3));
    expect((await reaction).seq).to.equal(23);
  });

  it('fills a gap before it emits later messages, and emits no repeat', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const dropped = new Set([4, 5, 8]);
    // a network between nodes that loses pushes and repeats them
    const lossy = (url: string, token: string) => {
      const socket = new WebSocket(url, ['auth', token]);
      const emit = socket.emit.bind(socket);
      socket.emit = (name: string | symbol, ...args: unknown[]) => {
        if (name !== 'message') return emit(name, ...args);
        const { params, id } = JSON.parse(String(args[0]));
        if (id === undefined && dropped.has(params.seq)) return true;
        if (id === undefined) emit(name, ...args);
        return emit(name, ...args);
      };
      return socket;
    };
    const client = typedClient(bob, { open: lossy });
    const emitted = emittedOf(client, groupId);
    const reactions: string[] = [];
    client.on('addReaction', ({ seq, emoji }) => reactions.push(`${seq} ${emoji} ${emitted.length}`));
    await client.online();
    for (let n = 3; n <= 9; n++) {
      const { messageId } = await ada.client.done('messageInGroup', { groupId, content: `${n}` });
      if (n === 6) await ada.client.done('addReaction', { messageId, emoji: '👍' });
    }
    await expectAllEmitted(emitted, groupId, 3);
    expect(emitted.some(({ own }) => own)).to.equal(false);
    expect(reactions[0]).to.match(/^6 👍 [4567]$/); // after the message it is about
    client.close();
  });

  it('emits own actions in a group at their position, as the others receive them', async () => {
    const [ada, bob] = await newClients(2);
    const client = typedClient(ada);
    const sent: Push[] = [];
    client.on('sent', (push) => sent.push(push));
    await client.online();
    const { groupId } = await client.call('newGroup', { groupName: 'Climbers' });
    await client.call('addUserInGroup', { groupId, userId: bob.id });
    await client.call('messageInGroup', { groupId, content: 'hello', custom: { a: 1 } });
    await until(() => sent.length === 3);
    expect(sent.map(({ type }) => type)).to.deep.equal(['newGroup', 'addUserInGroup', 'messageInGroup']);
    const { params } = await bob.client.push('messageInGroup');
    expect(sent[2]?.params).to.deep.equal(params);
    expect((await bob.client.push('addUserInGroup')).params).to.deep.equal(sent[1]?.params);
  });

  it('starts a group over after leaving it', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const client = typedClient(bob);
    const emitted = emittedOf(client, groupId);
    await client.online();
    await ada.client.done('messageInGroup', { groupId, content: 'in' });
    await ada.client.done('removeUserFromGroup', { groupId, userId: bob.id });
    await ada.client.done('messageInGroup', { groupId, content: 'without Bob' });
    await ada.client.done('addUserInGroup', { groupId, userId: bob.id });
    await ada.client.done('messageInGroup', { groupId, content: 'in again' });
    await until(() => emitted.length >= 4);
    expect(emitted.map(({ seq }) => seq)).to.deep.equal([3, 4, 6, 7]);
  });

  it('catches up from its latest position, not from its first', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const client = typedClient(bob, { url: relay.url });
    const emitted = emittedOf(client, groupId);
    await client.online();
    const write = (n: number) => ada.client.done('messageInGroup', { groupId, content: `${n}` });
    const { setTimeout: real } = globalThis;
    let renewal: 'none' | 'under way' | 'done' = 'none';
    const start = mock.method(globalThis, 'setTimeout', (run: () => void, time: number, ...args: []) => {
      if (time !== SETTLED_AFTER) return real(run, time, ...args);
      renewal = 'under way';
      return real(() => {
        run();
        renewal = 'done';
      }, 100);
    });
    let written = 0;
    while (renewal === 'none') {
      for (const end = written + 50; written < end; written++) await write(written);
      await until(() => emitted.length === written);
    }
    await until(() => renewal === 'done');
    start.mock.restore();
    await relay.cut();
    for (let n = 0; n < 3; n++) await write(written + n);
    let changes = 0;
    client.on('sync', () => changes++);
    await relay.restore();
    await client.online();
    await expectAllEmitted(emitted, groupId, 3);
    expect(changes).to.be.within(4, 110); // those since about the renewal, and the state of the chat
  });

  it('emits edits, deletions and reactions after a reconnect too, in their current state', async () => {
    const [ada, bob] = await newClients(2);
    const ids: number[] = [];
    for (const content of ['1', '2', '3'])
      ids.push((await ada.client.done('privateMessage', { receiverId: bob.id, content })).messageId);
    const client = typedClient(bob, { url: relay.url });
    const messages: string[] = [];
    client.on('privateMessage', ({ message }) => messages.push(message));
    const changes: string[] = [];
    client.on('sync', (change) => {
      if (change.kind === 'message')
        changes.push(`${change.message.content}${change.message.reactions.map(({ emoji }) => emoji)}`);
    });
    await client.online();
    await relay.cut();
    await ada.client.done('editMessage', { messageId: ids[0], content: '1 edited' });
    await ada.client.done('deleteMessage', { messageId: ids[1] });
    await ada.client.done('addReaction', { messageId: ids[2], emoji: '🎉' });
    await ada.client.done('privateMessage', { receiverId: bob.id, content: '4' });
    await relay.restore();
    await until(() => changes.length === 4);
    expect(changes).to.deep.equal(['1 edited', '', '3🎉', '4']);
    expect(messages).to.deep.equal(['4']);
  });
});
