import { expect } from 'chai';
import type { BusMessage } from '../../src/bus/bus.ts';
import { KeyedQueue } from '../../src/bus/KeyedQueue.ts';
import type { Topic } from '../../src/bus/topics.ts';
import { Typists } from '../../src/chats/Typists.ts';
import type { CommandContext } from '../../src/commands/context.ts';
import { registry } from '../../src/commands/registry.ts';
import { createTurns } from '../../src/commands/turns.ts';
import { poolSizes } from '../../src/database/database.ts';
import { createChatRecord } from '../../src/messages/chatRecord.ts';
import type { Client, Frame } from '../support/client.ts';
import { database, newClients, newGroup, type Person } from '../support/harness.ts';

/** Collects all pushes to a connection from now on, in the order of arrival. */
function pushesOf(client: Client): Frame[] {
  const pushes: Frame[] = [];
  client.socket.on('message', (data) => {
    const frame: Frame = JSON.parse(String(data));
    if (frame.success && !('id' in frame)) pushes.push(frame);
  });
  return pushes;
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

/** Returns the pushes that the connections of a user would receive for a command. */
async function published(user: Person, type: string, params: object) {
  const messages: [Topic, BusMessage][] = [];
  const context = {
    session: { userId: user.id },
    origin: 1,
    db: database,
    changes: new KeyedQueue(),
    turns: createTurns(poolSizes(12)),
    typists: new Typists(),
    bus: { publish: (topic: Topic, message: BusMessage) => messages.push([topic, message]) },
  } as unknown as CommandContext;
  await new Promise<void>((resolve, reject) =>
    registry
      .get(type)
      ?.execute(params, context, (outcome) => ('error' in outcome ? reject(outcome.error) : resolve())),
  );
  return messages;
}

describe('changes of a message', () => {
  it('are pushed in the order of their commits, numbered without a gap', async function () {
    this.timeout(60_000);
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob, cleo);
    const device = await ada.connect();
    const pushes = pushesOf(cleo.client);
    const rounds = 150;
    for (let round = 0; round < rounds; round++) {
      const { messageId } = await ada.client.done('messageInGroup', { groupId, content: 'x' });
      await Promise.all([
        ada.client.done('addReaction', { messageId, emoji: '👍' }),
        bob.client.done('addReaction', { messageId, emoji: '👍' }),
        device.done('editMessage', { messageId, content: 'y' }),
        ada.client.done('removeReaction', { messageId, emoji: '👍' }),
      ]);
    }
    await cleo.client.rest();
    const stored = await database.messages.findAll({ where: { chatId: groupId, kind: 'text' } });
    expect(stored).to.have.length(rounds);
    for (const { id, content, reactions, version } of stored) {
      const changes = pushes.filter(
        ({ type, params }) => params.messageId === id && type !== 'messageInGroup',
      );
      expect(changes.map(({ params }) => params.version)).to.deep.equal(upTo(version ?? 0));
      const last = (of: (frame: Frame) => boolean) => changes.filter(of).at(-1)?.params;
      expect(last(({ type }) => type === 'editMessage').message).to.equal(content);
      expect(last(({ params }) => params.emoji).count).to.equal(reactions?.['👍'] ?? 0);
    }
  });

  it('end with the deletion, whichever device edits at the same time', async () => {
    const [ada, bob] = await newClients(2);
    const devices = [ada.client, await ada.connect()];
    const pushes = pushesOf(bob.client);
    for (let round = 0; round < 40; round++) {
      const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'x' });
      const [edited, deleted] = round % 2 === 0 ? devices : devices.toReversed();
      await Promise.all([
        deleted?.done('deleteMessage', { messageId }),
        edited?.call('editMessage', { messageId, content: 'y' }),
      ]);
      await bob.client.rest();
      const changes = pushes.splice(0).filter(({ type }) => type !== 'privateMessage');
      expect(changes.at(-1)?.type).to.equal('deleteMessage');
      expect(changes.map(({ params }) => params.version)).to.deep.equal(upTo(changes.length));
    }
  });

  it('have their version in the reply, and in later reads', async () => {
    const [ada, bob] = await newClients(2);
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'one' });
    const read = async () => (await bob.client.done('getMessage', { messageId })).data.version;
    expect(await read()).to.equal(0);
    const steps: [Client, string, object][] = [
      [ada.client, 'editMessage', { content: 'two' }],
      [bob.client, 'addReaction', { emoji: '👍' }],
      [bob.client, 'pinMessage', {}],
      [ada.client, 'unpinMessage', {}],
      [bob.client, 'removeReaction', { emoji: '👍' }],
      [ada.client, 'deleteMessage', {}],
    ];
    for (const [index, [client, type, params]] of steps.entries()) {
      const { version } = await client.done(type, { messageId, ...params });
      expect([type, version]).to.deep.equal([type, index + 1]);
      expect(await read()).to.equal(version);
      if (type !== 'deleteMessage')
        expect((await client.done(type, { messageId, ...params })).version).to.equal(version); // nothing changed
    }
    const [row] = (await bob.client.done('getlatestMessageDialog', { receiverId: ada.id })).data;
    expect(row.version).to.equal(steps.length);
    const [last] = (await bob.client.done('listLastMessage')).data;
    expect(last.version).to.equal(steps.length);
  });

  it('get the same reply for a repeated deletion as for the first, from both devices at the same time', async () => {
    const [ada, bob] = await newClients(2);
    const device = await ada.connect();
    for (let round = 0; round < 10; round++) {
      const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'x' });
      const [one, other] = await Promise.all([
        ada.client.done('deleteMessage', { messageId }),
        device.done('deleteMessage', { messageId }),
      ]);
      expect(other).to.deep.equal(one);
    }
  });

  it('are published with the seq of their message, so that members who may not see it are excluded', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const { messageId, seq } = await ada.client.done('messageInGroup', { groupId, content: 'one' });
    await bob.client.done('messageInGroup', { groupId, content: 'two' });
    const about = async (type: string, params: object = {}) => {
      const [[topic, message] = [], ...others] = await published(ada, type, { messageId, ...params });
      expect([topic, others]).to.deep.equal([`chat:${groupId}`, []]);
      return message && 'frame' in message ? message.about : undefined;
    };
    const at = { chatId: groupId, head: seq + 1, seq };
    const reaction = `reaction:👍:${ada.id}`;
    expect(await about('editMessage', { content: '1' })).to.deep.equal({
      ...at,
      version: 1,
      part: 'content',
    });
    expect(await about('addReaction', { emoji: '👍' })).to.deep.equal({ ...at, version: 2, part: reaction });
    expect(await about('removeReaction', { emoji: '👍' })).to.deep.equal({
      ...at,
      version: 3,
      part: reaction,
    });
    expect(await about('pinMessage')).to.deep.equal({ ...at, version: 4, part: 'pin' });
    expect(await about('unpinMessage')).to.deep.equal({ ...at, version: 5, part: 'pin' });
    expect(await about('deleteMessage')).to.deep.equal({ ...at, version: 6, part: 'deleted' });
  });

  it('are pushed to all members except a new one who may not see the message', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('updateGroup', { groupId, historyFrom: 'joining' });
    const before = (await ada.client.done('messageInGroup', { groupId, content: 'before' })).messageId;
    await ada.client.done('addUserInGroup', { groupId, userId: cleo.id });
    const after = (await ada.client.done('messageInGroup', { groupId, content: 'after' })).messageId;
    const pushed = [bob, cleo].map(({ client }) => pushesOf(client));
    for (const messageId of [before, after]) {
      await ada.client.done('editMessage', { messageId, content: 'edited' });
      await ada.client.done('addReaction', { messageId, emoji: '👍' });
      await ada.client.done('removeReaction', { messageId, emoji: '👍' });
      await ada.client.done('pinMessage', { messageId });
      await ada.client.done('unpinMessage', { messageId });
      await ada.client.done('deleteMessage', { messageId });
    }
    await Promise.all([bob.client.rest(), cleo.client.rest()]);
    const types = [
      'editMessage',
      'addReaction',
      'removeReaction',
      'pinMessage',
      'unpinMessage',
      'deleteMessage',
    ];
    const [ofBob, ofCleo] = pushed.map((frames) =>
      frames.map(({ type, params }) => [params.messageId, type]).filter(([, type]) => types.includes(type)),
    );
    expect(ofBob).to.deep.equal(
      [before, after].flatMap((messageId) => types.map((type) => [messageId, type])),
    );
    expect(ofCleo).to.deep.equal(types.map((type) => [after, type]));
  });

  it('of a note to oneself, and events in the notes, are pushed once to each other connection', async () => {
    const [ada] = await newClients(1);
    const desk = await ada.connect();
    const note = { receiverId: ada.id, content: 'x' };
    const { messageId } = await ada.client.done('privateMessage', note);
    await ada.client.done('editMessage', { messageId, content: 'y' });
    await ada.client.done('addReaction', { messageId, emoji: '👍' });
    await ada.client.done('pinMessage', { messageId });
    await ada.client.done('markUnread', { receiverId: ada.id });
    await ada.client.done('typing', { receiverId: ada.id, typing: true });
    await ada.client.done('sendEvent', { receiverId: ada.id, event: 'x' });
    await ada.client.done('deleteMessage', { messageId });
    expect((await desk.rest()).map(({ type }) => type)).to.deep.equal([
      ...['privateMessage', 'editMessage', 'addReaction', 'pinMessage', 'markUnread', 'typing', 'sendEvent'],
      'deleteMessage',
    ]);
    expect(await ada.client.rest()).to.deep.equal([]);
  });

  it('leave counts, positions, marks and the order of chats as they are, of everybody', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'x' });
    for (const { client } of [ada, cleo])
      await client.done('privateMessage', { receiverId: bob.id, content: 'newer' });
    for (const { id: receiverId } of [ada, cleo]) await bob.client.done('markUnread', { receiverId });
    const lists = () =>
      Promise.all([ada, bob].map(async ({ client }) => (await client.done('listLastMessage')).data));
    const before = await lists();
    for (const [type, params] of [
      ['editMessage', { content: `for @${ada.username}` }],
      ['addReaction', { emoji: '👍' }],
      ['removeReaction', { emoji: '👍' }],
      ['pinMessage', {}],
      ['unpinMessage', {}],
    ] as const)
      for (const { client } of type === 'editMessage' ? [ada] : [ada, bob])
        await client.done(type, { messageId, ...params });
    expect(await lists()).to.deep.equal(before);
  });

  it('are included in a message that is pushed late', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const write = async (content: string) => ada.client.done('messageInGroup', { groupId, content });
    const [plain, edited, deleted, pinned] = [
      await write('plain'),
      await write('edited'),
      await write('deleted'),
      await write('pinned'),
    ];
    const { editedAt } = await ada.client.done('editMessage', {
      messageId: edited.messageId,
      content: `to @${bob.username}`,
    });
    const { deletedAt } = await ada.client.done('deleteMessage', { messageId: deleted.messageId });
    await ada.client.done('pinMessage', { messageId: pinned.messageId });
    await bob.client.done('addReaction', { messageId: pinned.messageId, emoji: '👍' });
    const frames = await createChatRecord(database).read(groupId, plain.seq, pinned.seq);
    const [one, two, three, four] = frames.map(({ frame }) => JSON.parse(frame).params);
    expect(one).not.to.have.any.keys('version', 'editedAt', 'deletedAt', 'reactions', 'pinned');
    expect(two).to.deep.include({ version: 1, editedAt, mentions: [bob.id], message: `to @${bob.username}` });
    expect(three).to.deep.include({ version: 1, deletedAt, message: '' });
    expect(four).to.deep.include({ version: 2, pinned: true, reactions: [{ emoji: '👍', count: 1 }] });
  });
});

describe('pushes without a message', () => {
  it('are published as transient if they are of no use later, and only these', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'hi' });
    for (const [type, params, isTransient] of [
      ['typing', { typing: true }, true],
      ['sendEvent', { event: 'wave' }, true],
      ['markUnread', {}, undefined],
    ] as const)
      for (const address of [{ groupId }, { receiverId: bob.id }]) {
        const messages = await published(ada, type, { ...address, ...params });
        expect(messages, type).not.to.deep.equal([]);
        for (const [, message] of messages)
          expect('isTransient' in message ? message.isTransient : undefined, type).to.equal(isTransient);
      }
  });

  it('about a dialog are published behind its newest message, and own ones about a group behind none', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'hi' });
    const chatId = (await database.messages.findOne({ where: { id: messageId } }))?.chatId;
    const about = async (type: string, params: object) =>
      (await published(ada, type, params)).map(([, message]) => 'frame' in message && message.about);
    const behind = { chatId, head: 1 };
    expect(await about('markUnread', { receiverId: bob.id })).to.deep.equal([behind]);
    expect(await about('markUnread', { groupId })).to.deep.equal([undefined]);
    expect(await about('typing', { receiverId: bob.id, typing: true })).to.deep.equal([behind, behind]);
    expect(await about('typing', { groupId, typing: true })).to.deep.equal([{ chatId: groupId, head: 2 }]);
  });
});

describe('changes of a user’s own settings', () => {
  /** Lets two devices change the same setting at the same time, repeatedly; resolves to the pushes to a third. */
  async function raced(
    user: Person,
    type: string,
    changes: readonly [object, object],
    rounds = 100,
  ): Promise<Frame[]> {
    const devices = await Promise.all([user.connect(), user.connect()]);
    const pushes = pushesOf(user.client);
    for (let round = 0; round < rounds; round++)
      await Promise.all(devices.map((device, index) => device.done(type, changes[index as 0 | 1])));
    await user.client.rest();
    return pushes.filter((push) => push.type === type);
  }

  it('of a chat are pushed in the order of their commits', async () => {
    const [ada, bob] = await newClients(2);
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'Hi' });
    const chat = { receiverId: bob.id };
    const pushes = await raced(ada, 'archiveChat', [
      { ...chat, archived: true },
      { ...chat, archived: false },
    ]);
    const states = pushes.map(({ params }) => params.archived);
    expect(states).to.deep.equal(states.map((_, index) => index % 2 === 0)); // each changes the one before
    const [row] = (await ada.client.done('listLastMessage')).data;
    expect(row.archived).to.equal(states.at(-1));
  });

  it('of the profile are pushed in the order of their commits', async () => {
    const [ada] = await newClients(1);
    const pushes = await raced(ada, 'updateProfile', [{ displayName: 'one' }, { about: 'two' }], 20);
    expect(pushes.at(-1)?.params).to.include({ displayName: 'one', about: 'two' });
    const names = await raced(ada, 'updateProfile', [{ displayName: 'one' }, { displayName: 'two' }]);
    const { displayName } = (await ada.client.done('getProfile', {})).data;
    expect(names.at(-1)?.params.displayName).to.equal(displayName);
  });

  it('of the visibility are pushed in the order of their commits', async () => {
    const [ada] = await newClients(1);
    const pushes = await raced(ada, 'setPresence', [{ invisible: true }, { invisible: false }]);
    const states = pushes.map(({ params }) => params.invisible);
    expect(states).to.deep.equal(states.map((_, index) => index % 2 === 0));
  });
});
