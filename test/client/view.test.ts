import { expect } from 'chai';
import type { ChatMessage } from '../../src/client/index.ts';
import { createChatRecord } from '../../src/messages/chatRecord.ts';
import { database, http, newClients, newGroup, newUsers, server, typedClient } from '../support/harness.ts';
import { startRelay } from '../support/relay.ts';
import { until } from '../support/until.ts';
import { holding, through, when } from './network.ts';

describe('the chats of the typed client', () => {
  it('are listed with their unread counts, pinned ones first, and follow changes', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob);
    await cleo.client.done('privateMessage', { receiverId: bob.id, content: 'from cleo' });
    const client = typedClient(bob);
    const { chats } = client;
    await chats.loaded;
    const names = () => chats.value.map(({ name, unreadCount }) => `${name} ${unreadCount}`);
    expect(names()).to.deep.equal([`${cleo.username} 1`, 'Climbers 0']);

    await ada.client.done('messageInGroup', { groupId, content: `hello @${bob.username}` });
    const [first] = await when(chats, ([chat]) => chat?.unreadCount === 1 && chat.name === 'Climbers');
    expect(first).to.deep.include({ mentionCount: 1, address: { groupId }, key: `group:${groupId}` });
    expect(first?.lastMessage).to.include({ content: `hello @${bob.username}`, senderName: ada.username });
    await ada.client.done('messageInGroup', { groupId, content: 'quietly', silent: true });
    await when(chats, ([chat]) => chat?.lastMessage.content === 'quietly' && chat.unreadCount === 1);

    await client.call('pinChat', { receiverId: cleo.id, pinned: true });
    await when(chats, ([chat]) => chat?.pinned && chat.name === cleo.username);
    await client.call('muteChat', { groupId, muted: true });
    await client.call('archiveChat', { groupId, archived: true });
    await client.call('markUnread', { groupId });
    const muted = await when(chats, ([, chat]) => chat?.muted && chat.archived && chat.markedUnread);
    expect(muted[1]?.mutedUntil).to.equal(null);
    await client.call('markRead', { groupId, seq: 4 });
    await when(chats, ([, chat]) => chat?.unreadCount === 0 && !chat.markedUnread && chat.mentionCount === 0);
  });

  it('follow the actions of the user on another device', async () => {
    const [ada, bob] = await newClients(2);
    for (const content of ['1', '2', '3', '4'])
      await ada.client.done('privateMessage', { receiverId: bob.id, content });
    const client = typedClient(bob);
    const { chats } = client;
    await chats.loaded;
    await bob.client.done('markRead', { receiverId: ada.id, seq: 2 });
    await when(chats, ([chat]) => chat?.unreadCount === 2 && chat.readSeq === 2);
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: '5' });
    await when(chats, ([chat]) => chat?.unreadCount === 3);
    await ada.client.done('deleteMessage', { messageId });
    await when(chats, ([chat]) => chat?.unreadCount === 2 && chat.lastMessage.deletedAt);
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'from my phone' });
    await when(chats, ([chat]) => chat?.unreadCount === 0 && chat.lastMessage.content === 'from my phone');
    await bob.client.done('muteChat', { receiverId: ada.id, muted: true, until: '2100-01-01T00:00:00Z' });
    await when(chats, ([chat]) => chat?.muted && chat.mutedUntil === '2100-01-01T00:00:00.000Z');
  });

  it('appear and disappear: a first message, a group joined, renamed, left and closed', async () => {
    const [ada, bob] = await newClients(2);
    const client = typedClient(bob);
    const { chats } = client;
    await chats.loaded;
    expect(chats.value).to.deep.equal([]);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'Hi' });
    await when(chats, ([chat]) => chat?.name === ada.username && chat.unreadCount === 1);
    const groupId = await newGroup(ada.client, bob);
    await when(chats, ([chat]) => chat?.name === 'Climbers');
    await ada.client.done('updateGroup', { groupId, groupName: 'Sailors' });
    await when(chats, ([chat]) => chat?.name === 'Sailors');
    await client.call('leaveGroup', { groupId });
    await when(chats, ({ length }) => length === 1);
    const other = await newGroup(ada.client, bob);
    await when(chats, ({ length }) => length === 2);
    await ada.client.done('removeUserFromGroup', { groupId: other, userId: bob.id });
    await when(chats, ({ length }) => length === 1);
    await client.call('newGroup', { groupName: 'Mine' });
    await when(chats, ([chat]) => chat?.name === 'Mine');
  });

  it('include all chats with new messages during the reading of another one', async () => {
    const [bob, ...people] = await newClients(6);
    const network = holding('getChat');
    const client = typedClient(bob, { open: network.open });
    const { chats } = client;
    await chats.loaded;
    let arrived = 0;
    client.on('privateMessage', () => arrived++);
    network.hold();
    for (const { client: device } of people) {
      await device.done('privateMessage', { receiverId: bob.id, content: 'Hi' });
      await network.held();
    }
    await until(() => arrived === people.length);
    network.release();
    const all = await when(chats, ({ length }) => length === people.length);
    for (const { unreadCount, lastMessage } of all)
      expect([unreadCount, lastMessage.seq]).to.deep.equal([1, 1]);
  });

  it('keep changes that arrive while the list is read', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob);
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'one' });
    await cleo.client.done('privateMessage', { receiverId: bob.id, content: 'one' });
    const network = holding('listLastMessage');
    network.hold();
    const client = typedClient(bob, { open: network.open });
    const { chats } = client;
    await network.held();
    await client.online();
    const pushes: string[] = [];
    client.on('push', ({ type }) => pushes.push(type));
    await bob.client.done('muteChat', { receiverId: cleo.id, muted: true });
    await ada.client.done('editMessage', { messageId, content: 'two' });
    await bob.client.done('leaveGroup', { groupId });
    await until(() => pushes.length === 3);
    network.release();
    await when(chats, (value) => {
      const [first, second] = value;
      return value.length === 2 && first?.muted && second?.lastMessage.content === 'two';
    });
  });

  it('report the delivery of messages to the sender', async () => {
    const [ada, bob] = await newClients(2);
    const client = typedClient(bob);
    await client.chats.loaded;
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'Hi' });
    expect((await ada.client.push('markDelivered')).params).to.include({ senderId: bob.id, seq: 1 });
  });

  it('catch up after a reconnect', async () => {
    const relay = await startRelay(server.url);
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const client = typedClient(bob, { url: relay.url });
    const { chats } = client;
    await chats.loaded;
    await relay.cut();
    await ada.client.done('messageInGroup', { groupId, content: 'missed' });
    const { messageId } = await ada.client.done('messageInGroup', { groupId, content: 'to be changed' });
    await ada.client.done('editMessage', { messageId, content: 'changed' });
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'a new chat' });
    await relay.restore();
    const all = await when(
      chats,
      (value) => value.length === 2 && value.some(({ unreadCount }) => unreadCount === 2),
    );
    expect(all.map(({ lastMessage }) => lastMessage.content)).to.deep.equal(['a new chat', 'changed']);
    await relay.cut();
  });
});

describe('a chat of the typed client', () => {
  it('shows a message while it is sent, and its state', async () => {
    const [ada, bob] = await newClients(2);
    const client = typedClient(ada);
    await client.chats.loaded;
    const chat = client.chat({ receiverId: bob.id });
    const statuses: string[] = [];
    const keys = new Set<string>();
    chat.messages.subscribe(([message]) => {
      if (message && statuses.at(-1) !== message.status) statuses.push(message.status);
      if (message) keys.add(message.key);
    });
    const sent = chat.send('Hi', { custom: { mood: 'good' } });
    expect(chat.messages.value[0]).to.include({ content: 'Hi', status: 'sending', seq: 0 });
    await sent;
    await when(chat.summary, (summary) => summary?.name === bob.username);
    await bob.client.done('markDelivered', { receiverId: ada.id, seq: 1 });
    await when(chat.messages, ([message]) => message?.status === 'delivered');
    await bob.client.done('markRead', { receiverId: ada.id, seq: 1 });
    const [message] = await when(chat.messages, ([first]) => first?.status === 'read');
    expect(statuses).to.deep.equal(['sending', 'sent', 'delivered', 'read']);
    expect(keys).to.have.property('size', 1);
    expect(message).to.deep.include({
      seq: 1,
      senderId: ada.id,
      senderName: ada.username,
      custom: { mood: 'good' },
    });
    expect(chat.messages.value).to.have.length(1);
  });

  it('keeps a refused message until it is discarded', async () => {
    const [ada, bob] = await newClients(2);
    await bob.client.done('blockUser', { userId: ada.id });
    const client = typedClient(ada);
    const chat = client.chat({ receiverId: bob.id });
    const error = await chat.send('Hi').catch((reason) => reason);
    expect(error.code).to.equal('FORBIDDEN');
    const [message] = chat.messages.value;
    expect(message).to.deep.include({ status: 'failed', error });
    chat.discard(message?.key ?? '');
    expect(chat.messages.value).to.deep.equal([]);
  });

  it('keeps messages sent while offline at the end, in order', async () => {
    const relay = await startRelay(server.url);
    const [ada, bob] = await newClients(2);
    const client = typedClient(ada, { url: relay.url });
    const chat = client.chat({ receiverId: bob.id });
    await client.online();
    await relay.cut();
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'from Bob' });
    const sends = ['1', '2', '3'].map((content) => chat.send(content));
    const contents = () => chat.messages.value.map(({ content, status }) => `${content} ${status}`);
    expect(contents()).to.deep.equal(['1 sending', '2 sending', '3 sending']);
    await relay.restore();
    await Promise.all(sends);
    await client.online();
    await when(chat.messages, ({ length }) => length === 4);
    expect(contents().map((line) => line.split(' s')[0])).to.deep.equal(['from Bob', '1', '2', '3']);
    await relay.cut();
  });

  it('pages back to the first message', async () => {
    const [ada, bob] = await newClients(2);
    for (let n = 1; n <= 130; n++)
      await ada.client.done('privateMessage', { receiverId: bob.id, content: `${n}` });
    const client = typedClient(bob);
    const chat = client.chat({ receiverId: ada.id });
    await when(chat.messages, ({ length }) => length === 50);
    expect(chat.hasOlder).to.equal(true);
    await Promise.all([chat.loadOlder(), chat.loadOlder()]); // one page for two calls
    expect(chat.messages.value.map(({ seq }) => seq)).to.deep.equal(
      Array.from({ length: 100 }, (_, n) => n + 31),
    );
    await chat.loadOlder(3);
    expect(chat.messages.value[0]?.seq).to.equal(1);
    expect(chat.hasOlder).to.equal(false);
    await chat.markRead();
    expect((await ada.client.push('markRead')).params.seq).to.equal(130);
  });

  it('follows edits, reactions, pins and deletions, of others and of the user', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const { messageId } = await ada.client.done('messageInGroup', { groupId, content: 'one' });
    const client = typedClient(bob);
    await client.online();
    const chat = client.chat({ groupId });
    const last = (holds: (message: ReturnType<() => (typeof chat.messages.value)[number]>) => unknown) =>
      when(chat.messages, (messages) => {
        const message = messages.find((one) => one.messageId === messageId);
        return message && holds(message);
      });
    await last(({ content }) => content === 'one');
    await ada.client.done('editMessage', { messageId, content: 'two' });
    await last(({ content, editedAt }) => content === 'two' && editedAt);
    await ada.client.done('addReaction', { messageId, emoji: '👍' });
    await last(({ reactions: [first] }) => first?.count === 1 && !first.own);
    await client.call('addReaction', { messageId, emoji: '👍' });
    await last(({ reactions: [first] }) => first?.count === 2 && first.own);
    await client.call('removeReaction', { messageId, emoji: '👍' });
    await last(({ reactions: [first] }) => first?.count === 1 && !first.own);
    await ada.client.done('removeReaction', { messageId, emoji: '👍' });
    await last(({ reactions }) => reactions.length === 0);
    await ada.client.done('pinMessage', { messageId });
    await last(({ pinned }) => pinned);
    await ada.client.done('deleteMessage', { messageId });
    await last(({ content, deletedAt, pinned }) => content === '' && deletedAt && !pinned);
    expect(chat.messages.value.map(({ kind }) => kind)).to.deep.equal(['system', 'system', 'text']);
  });

  it('shows changes of messages that happen while they are read', async () => {
    const [ada, bob] = await newClients(2);
    const write = async (content: string) =>
      (await ada.client.done('privateMessage', { receiverId: bob.id, content })).messageId;
    const [one, two] = [await write('one'), await write('two')];
    const network = holding('getMessages');
    const client = typedClient(bob, { open: network.open });
    await client.online();
    let pushes = 0;
    client.on('push', () => pushes++);
    network.hold();
    const chat = client.chat({ receiverId: ada.id });
    expect(chat.messages.value).to.deep.equal([]);
    await network.held();
    await ada.client.done('editMessage', { messageId: one, content: 'edited' });
    await bob.client.done('addReaction', { messageId: one, emoji: '👍' });
    await ada.client.done('pinMessage', { messageId: one });
    await ada.client.done('deleteMessage', { messageId: two });
    await until(() => pushes === 4);
    network.release();
    const [first, second] = await when(chat.messages, ({ length }) => length === 2);
    expect(first).to.deep.include({ content: 'edited', version: 3, pinned: true });
    expect(first?.reactions).to.deep.equal([{ emoji: '👍', count: 1, own: true }]);
    expect(second).to.deep.include({ content: '', version: 1 });
    expect(second?.deletedAt).to.be.a('string');
  });

  it('shows the state of the database, in whatever order changes arrive', async () => {
    const [ada, bob] = await newClients(2);
    let held: (() => void)[] | undefined;
    // nodes that overtake each other
    const open = through((frame, pass) => {
      if (held && !('id' in frame) && frame.type !== 'privateMessage') held.push(pass);
      else pass();
    });
    const client = typedClient(bob, { open });
    await client.chats.loaded;
    const chat = client.chat({ receiverId: ada.id });
    const orders: ((passes: (() => void)[]) => (() => void)[])[] = [
      (passes) => passes.toReversed(),
      (passes) => [...passes.slice(1), ...passes.slice(0, 1)],
      (passes) => passes.toSorted(() => Math.random() - 0.5),
    ];
    for (const order of orders) {
      const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'one' });
      await when(chat.messages, (messages) => messages.at(-1)?.messageId === messageId);
      held = [];
      const react = (device: typeof bob.client, emoji: string, type = 'addReaction') =>
        device.done(type, { messageId, emoji });
      await react(bob.client, '👍');
      await react(ada.client, '👍');
      await ada.client.done('editMessage', { messageId, content: 'two', custom: { a: 1 } });
      await ada.client.done('pinMessage', { messageId });
      await react(bob.client, '🎉');
      await react(bob.client, '🎉', 'removeReaction');
      await react(ada.client, '👍', 'removeReaction');
      await ada.client.done('editMessage', { messageId, content: `three, @${bob.username}` });
      await ada.client.done('unpinMessage', { messageId });
      await react(ada.client, '🎉');
      await until(() => held?.length === 10);
      for (const pass of order(held)) pass();
      held = undefined;
      const { reactions, ...data } = (await client.call('getMessage', { messageId })).data;
      const shown = chat.messages.value.at(-1) as ChatMessage;
      expect(shown).to.deep.include(data);
      expect(shown.reactions).to.have.deep.members(reactions);
      await when(client.chats, ([first]) => first?.lastMessage.content === data.content); // read after a pause
    }
  });

  it('ignores an edit that arrives after the deletion', async () => {
    const [ada, bob] = await newClients(2);
    const edits: (() => void)[] = [];
    const open = through((frame, pass) => (frame.type === 'editMessage' ? edits.push(pass) : pass()));
    const client = typedClient(bob, { open });
    await client.chats.loaded;
    const chat = client.chat({ receiverId: ada.id });
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'one' });
    await when(chat.messages, ({ length }) => length === 1);
    await ada.client.done('editMessage', { messageId, content: 'secret' });
    await ada.client.done('deleteMessage', { messageId });
    await when(chat.messages, ([message]) => message?.deletedAt);
    await until(() => edits.length === 1);
    edits[0]?.();
    await client.call('ping');
    expect(chat.messages.value[0]).to.include({ content: '', version: 2 });
    expect(client.chats.value[0]?.lastMessage).to.include({ content: '', version: 2 });
  });

  it('shows the current state of a message that is pushed late, deleted or changed', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const late: ((frame?: string) => void)[] = [];
    // a node that missed all of it
    const open = through((frame, pass) => {
      if ('id' in frame) pass();
      else if (frame.type === 'messageInGroup') late.push(pass);
    });
    const client = typedClient(bob, { open });
    await client.chats.loaded;
    const chat = client.chat({ groupId });
    await when(chat.messages, ({ length }) => length === 2);
    const write = async (content: string) =>
      (await ada.client.done('messageInGroup', { groupId, content })).messageId;
    const [one, two] = [await write('one'), await write('two')];
    await ada.client.done('editMessage', { messageId: one, content: 'edited' });
    await bob.client.done('addReaction', { messageId: one, emoji: '👍' });
    await ada.client.done('deleteMessage', { messageId: two });
    const pushed: (string | undefined)[] = [];
    client.on('messageInGroup', ({ deletedAt }) => pushed.push(deletedAt));
    await until(() => late.length === 2);
    for (const [index, { frame }] of (await createChatRecord(database).read(groupId, 3, 4)).entries())
      late[index]?.(frame);
    const messages = await when(chat.messages, ({ length }) => length === 4);
    for (const message of messages) {
      const { data } = await client.call('getMessage', { messageId: message.messageId });
      expect(message).to.deep.include(data);
    }
    expect(pushed).to.deep.equal([undefined, messages[3]?.deletedAt]);
    expect(client.chats.value[0]).to.deep.include({ unreadCount: 1 });
    expect(client.chats.value[0]?.lastMessage).to.deep.include({ content: '', version: 1 });
  });

  it('shows the typing user until the message arrives', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const client = typedClient(bob);
    await client.online();
    const chat = client.chat({ groupId });
    await when(chat.messages, ({ length }) => length > 0);
    await ada.client.done('typing', { groupId, typing: true });
    expect(await when(chat.typing, ({ length }) => length > 0)).to.deep.equal([ada.username]);
    await ada.client.done('messageInGroup', { groupId, content: 'Hi' });
    await when(chat.typing, ({ length }) => length === 0);
    chat.setTyping(true);
    chat.setTyping(true); // is not sent again so soon
    expect((await ada.client.push('typing')).params).to.include({ typing: true, senderId: bob.id });
    chat.setTyping(false);
    expect((await ada.client.push('typing')).params).to.include({ typing: false });
  });

  it('starts over in a group whose history begins with joining', async () => {
    const relay = await startRelay(server.url);
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('updateGroup', { groupId, historyFrom: 'joining' });
    const client = typedClient(bob, { url: relay.url });
    await client.online();
    const chat = client.chat({ groupId });
    await when(chat.messages, ({ length }) => length === 3);
    await relay.cut();
    await ada.client.done('removeUserFromGroup', { groupId, userId: bob.id });
    for (const content of ['1', '2']) await ada.client.done('messageInGroup', { groupId, content });
    await ada.client.done('addUserInGroup', { groupId, userId: bob.id });
    await ada.client.done('messageInGroup', { groupId, content: 'again' });
    await relay.restore();
    const messages = await when(chat.messages, (value) => value.at(-1)?.content === 'again');
    expect(messages.map(({ seq }) => seq)).to.deep.equal([7, 8]);
    await relay.cut();
  });

  it('shows the presence', async () => {
    const [ada, bob] = await newUsers(2);
    const client = typedClient(ada);
    const presence = client.presence(bob.id);
    expect(await when(presence, (state) => state)).to.include({ userId: bob.id, online: false });
    await bob.connect();
    await when(presence, (state) => state?.online);
    expect(client.presence(bob.id)).to.equal(presence);
  });

  it('ends with the deletion of the account', async () => {
    const [ada] = await newUsers(1);
    const client = typedClient(ada);
    await client.chats.loaded;
    await http('DELETE', '/users/me', { token: ada.token, body: { password: ada.password } });
    await client.online().then(
      () => new Promise<void>((resolve) => client.on('state', (state) => state === 'closed' && resolve())),
      () => {},
    );
    expect(client.state).to.equal('closed');
  });
});
