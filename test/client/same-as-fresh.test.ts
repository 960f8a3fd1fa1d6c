import { expect } from 'chai';
import { WebSocket } from 'ws';
import { http, newClients, newGroup, newUsers, server, typedClient } from '../support/harness.ts';
import { startRelay } from '../support/relay.ts';
import { until } from '../support/until.ts';
import { expectFresh } from './fresh.ts';
import { holding, through, when } from './network.ts';

describe('a typed client compared with a fresh one', () => {
  it('counts messages from its time offline once', async () => {
    const relay = await startRelay(server.url);
    const [ada, bob] = await newClients(2);
    const client = typedClient(ada, { url: relay.url });
    const send = (content: string) =>
      bob.client.done('privateMessage', { receiverId: ada.id, content: `${content} @${ada.username}` });
    await send('before');
    await client.chats.loaded;
    await client.online();
    await relay.cut();
    for (const content of ['1', '2', '3']) await send(content);
    await relay.restore();
    await when(client.chats, ([chat]) => chat?.lastMessage.seq === 4);
    await client.online();
    expect(client.chats.value[0]).to.include({ unreadCount: 4, mentionCount: 4 });
    await expectFresh(ada, client, { receiverId: bob.id });
    await relay.cut();
  });

  it('counts messages that arrive while it marks a chat as read', async () => {
    const [ada, bob] = await newClients(2);
    const network = holding('markRead');
    const client = typedClient(ada, { open: network.open });
    const send = (content: string) => bob.client.done('privateMessage', { receiverId: ada.id, content });
    await send('before');
    await client.chats.loaded;
    await client.online();
    await send('read');
    await when(client.chats, ([chat]) => chat?.lastMessage.seq === 2);
    network.hold();
    const marked = client.chat({ receiverId: bob.id }).markRead();
    await network.held();
    for (const content of ['1', '2', '3']) await send(content);
    await when(client.chats, ([chat]) => chat?.lastMessage.seq === 5);
    network.release();
    await marked;
    expect(client.chats.value[0]).to.include({ readSeq: 2, unreadCount: 3 });
    await expectFresh(ada, client);
  });

  it('counts without changing anything: a chat marked as unread stays marked', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob, cleo);
    const client = typedClient(cleo);
    const write = async () =>
      (await bob.client.done('messageInGroup', { groupId, content: `@${cleo.username}` })).messageId;
    const [one, two] = [await write(), await write()];
    await client.chats.loaded;
    await client.online();
    await client.call('markRead', { groupId, seq: 3 });
    await client.call('markUnread', { groupId });
    const three = await write();
    await when(client.chats, ([chat]) => chat?.unreadCount === 3);
    await bob.client.done('deleteMessage', { messageId: one });
    await ada.client.done('deleteMessage', { messageId: two });
    await bob.client.done('editMessage', { messageId: three, content: 'to nobody' });
    await when(client.chats, ([chat]) => chat?.unreadCount === 1 && chat.mentionCount === 0);
    expect(client.chats.value[0]).to.include({ markedUnread: true, readSeq: 3 });
    await expectFresh(cleo, client, { groupId });
    const { data } = await client.call('getChat', { groupId });
    expect(data).to.include({ markedUnread: true });
  });

  it('is right about own messages with every param, by a call or by a chat', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const client = typedClient(ada);
    const chat = client.chat({ groupId });
    const [first] = await when(chat.messages, ({ length }) => length === 2);
    const options = { replyTo: first?.messageId ?? 0, silent: true, custom: { a: 1 } };
    const content = `hi @${bob.username}`;
    await client.call('messageInGroup', { groupId, content, ...options, ifSeq: 2 });
    await chat.send(content, { ...options, ifSeq: 3 });
    await when(chat.messages, ({ length }) => length === 4);
    await expectFresh(ada, client, { groupId });
  });

  it('loses nothing when the first connection breaks at once', async () => {
    const [ada, bob] = await newClients(2);
    const sockets: WebSocket[] = [];
    let held = 0;
    const connect = through((frame, pass) => {
      // the first connection breaks before the client has a cursor to catch up from
      if (sockets.length === 1 && frame.type === 'sync') held++;
      else pass();
    });
    const open = (url: string, token: string) => {
      const socket = connect(url, token);
      sockets.push(socket);
      return socket;
    };
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'before' });
    const client = typedClient(ada, { open });
    const emitted: string[] = [];
    client.on('sent', ({ params }) => emitted.push(params.message ?? ''));
    const chat = client.chat({ receiverId: bob.id });
    expect(chat.messages.value).to.deep.equal([]);
    const sent = chat.send('own');
    await until(() => held > 0);
    await client.call('ping', {}, { signal: AbortSignal.timeout(300) }).catch(() => {}); // all answers have arrived
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'meanwhile' });
    sockets[0]?.terminate();
    await sent;
    await client.online();
    await when(chat.messages, ({ length }) => length === 3);
    await until(() => emitted.includes('own'));
    await expectFresh(ada, client, { receiverId: bob.id });
  });

  it('reads everything again when the server does not know its cursor any more', async () => {
    const relay = await startRelay(server.url);
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    let forges = false;
    const open = (url: string, token: string) => {
      const socket = new WebSocket(url, ['auth', token]);
      const send = socket.send.bind(socket);
      socket.send = (text: string) =>
        send(forges ? text.replace(/"cursor":"[^"]*"/, '"cursor":"of another server"') : text);
      return socket;
    };
    const { messageId } = await ada.client.done('messageInGroup', { groupId, content: 'one' });
    const client = typedClient(bob, { open, url: relay.url });
    const emitted: number[] = [];
    client.on('messageInGroup', ({ seq }) => emitted.push(seq));
    const chat = client.chat({ groupId });
    await when(chat.messages, ({ length }) => length === 3);
    await client.online();
    await ada.client.done('messageInGroup', { groupId, content: 'two' });
    await when(chat.messages, ({ length }) => length === 4);
    await relay.cut();
    forges = true;
    await ada.client.done('editMessage', { messageId, content: 'changed' });
    await ada.client.done('messageInGroup', { groupId, content: 'missed' });
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'a new chat' });
    await relay.restore();
    await when(chat.messages, (messages) => messages.some(({ content }) => content === 'changed'));
    await expectFresh(bob, client, { groupId });
    await ada.client.done('messageInGroup', { groupId, content: 'and goes on' });
    await until(() => emitted.length === 3);
    expect(emitted).to.deep.equal([4, 5, 6]);
    await relay.cut();
  });

  it('shows no gap when more than a page is written between joining a group and reading it', async () => {
    const relay = await startRelay(server.url);
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client);
    const client = typedClient(bob, { url: relay.url });
    const chat = client.chat({ groupId });
    await client.online();
    chat.messages;
    await until(() => !chat.hasOlder); // refused
    const cut = relay.cutBefore('"getMessages"', 'answer');
    await ada.client.done('addUserInGroup', { groupId, userId: bob.id });
    await cut;
    await relay.cut();
    const texts = Array.from({ length: 60 }, (_, n) => `${n}`);
    await Promise.all(texts.map((content) => ada.client.done('messageInGroup', { groupId, content })));
    await relay.restore();
    await client.online();
    await when(chat.messages, (messages) => messages.at(-1)?.seq === 62);
    await chat.loadOlder(1);
    const all = Array.from({ length: 62 }, (_, index) => index + 1);
    expect(chat.messages.value.map(({ seq }) => seq)).to.deep.equal(all);
    await relay.cut();
  });

  it('starts a group over when the user is removed and added again', async () => {
    const [ada, bob] = await newClients(2);
    const client = typedClient(bob);
    await client.chats.loaded;
    await client.online();
    for (const historyFrom of ['beginning', 'joining']) {
      const groupId = await newGroup(ada.client, bob);
      const chat = client.chat({ groupId });
      const write = async (content: string) =>
        (await ada.client.done('messageInGroup', { groupId, content })).messageId;
      const [one, two] = [await write('one'), await write('two')];
      await when(chat.messages, (messages) => messages.at(-1)?.messageId === two);
      await ada.client.done('updateGroup', { groupId, historyFrom });
      await ada.client.done('removeUserFromGroup', { groupId, userId: bob.id });
      await when(chat.messages, ({ length }) => length === 0);
      await ada.client.done('deleteMessage', { messageId: one });
      await ada.client.done('editMessage', { messageId: two, content: 'changed' });
      await ada.client.done('addUserInGroup', { groupId, userId: bob.id });
      await when(chat.messages, (messages) => messages.at(-1)?.event?.type === 'addUserInGroup');
      await expectFresh(bob, client, { groupId });
    }
  });

  it('starts a group over when the user leaves and joins again, in any way', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('updateGroup', { groupId, isPrivate: false });
    const { code } = (await ada.client.done('createInvite', { groupId })).data;
    const client = typedClient(bob);
    const emitted: number[] = [];
    client.on('push', ({ params }) => 'createdAt' in params && 'seq' in params && emitted.push(params.seq));
    client.on('sent', ({ params }) => 'createdAt' in params && emitted.push(params.seq));
    await client.chats.loaded;
    await client.online();
    const chat = client.chat({ groupId });
    const joins = [() => client.call('joinGroup', { groupId }), () => client.call('joinByInvite', { code })];
    for (const join of joins) {
      await when(chat.messages, ({ length }) => length > 0);
      await client.call('leaveGroup', { groupId });
      await when(chat.messages, ({ length }) => length === 0);
      const { messageId } = await ada.client.done('messageInGroup', { groupId, content: 'one' });
      await ada.client.done('editMessage', { messageId, content: 'changed' });
      const other = await ada.client.done('messageInGroup', { groupId, content: 'two' });
      await ada.client.done('deleteMessage', { messageId: other.messageId });
      const { seq } = await join();
      await when(chat.messages, (messages) => messages.at(-1)?.seq === seq);
      await expectFresh(bob, client, { groupId });
    }
    expect(emitted).to.deep.equal([...new Set(emitted)]);
  });

  it('shows a chat that was opened before the user was in it', async () => {
    const [ada, bob] = await newClients(2);
    const client = typedClient(bob);
    await client.chats.loaded;
    const groupId = await newGroup(ada.client);
    for (const content of ['1', '2', '3']) await ada.client.done('messageInGroup', { groupId, content });
    const chat = client.chat({ groupId });
    const dialog = client.chat({ receiverId: ada.id });
    expect(chat.messages.value).to.deep.equal([]);
    expect(dialog.messages.value).to.deep.equal([]);
    await until(() => !chat.hasOlder && !dialog.hasOlder);
    await ada.client.done('addUserInGroup', { groupId, userId: bob.id });
    await when(chat.messages, ({ length }) => length === 5);
    await client.call('leaveGroup', { groupId });
    await when(chat.messages, ({ length }) => length === 0);
    await ada.client.done('addUserInGroup', { groupId, userId: bob.id });
    await when(chat.messages, ({ length }) => length === 7);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'Hi' });
    await when(dialog.messages, ({ length }) => length === 1);
    await expectFresh(bob, client, { groupId }, { receiverId: ada.id });
  });

  it('retries to read a chat after a failure', async () => {
    const [ada, bob] = await newClients(2);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'Hi' });
    let refusals = 0;
    const open = through((frame, pass) => {
      if (frame.type !== 'getMessages' || refusals++ > 0) pass();
      else pass(JSON.stringify({ ...frame, error: true, code: 'INTERNAL', message: 'it broke' }));
    });
    const client = typedClient(bob, { open });
    await when(client.chat({ receiverId: ada.id }).messages, ({ length }) => length === 1);
    expect(refusals).to.equal(2);
  });

  it('shows messages as read after an answer, and notes to oneself', async () => {
    const [ada, bob] = await newClients(2);
    const client = typedClient(ada);
    await client.chats.loaded;
    const chat = client.chat({ receiverId: bob.id });
    await chat.send('a question');
    await when(chat.summary, (summary) => summary);
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'an answer' });
    await when(chat.messages, ([message]) => message?.status === 'read');
    const notes = client.chat({ receiverId: ada.id });
    await notes.send('a note');
    await when(notes.messages, ([message]) => message?.status === 'read');
    await client.call('privateMessage', { receiverId: ada.id, content: 'another' });
    await when(notes.messages, ([, message]) => message?.status === 'read');
    await expectFresh(ada, client, { receiverId: bob.id }, { receiverId: ada.id });
  });

  it('mutes a chat until the given time', async () => {
    const [ada, bob] = await newClients(2);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'Hi' });
    const client = typedClient(bob);
    await client.chats.loaded;
    await client.online();
    const until = new Date(client.now() + 700).toISOString();
    await client.call('muteChat', { receiverId: ada.id, muted: true, until });
    await when(client.chats, ([chat]) => chat?.muted && chat.mutedUntil === until);
    await when(client.chats, ([chat]) => chat && !chat.muted && chat.mutedUntil === null);
    expect(client.now()).to.be.at.least(Date.parse(until) - 1);
    await expectFresh(bob, client);
  });

  it('has the mentions, custom data and origin of messages that the user writes, edits and forwards', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob, cleo);
    const people = [typedClient(ada), typedClient(bob)] as const;
    const chats = people.map((client) => client.chat({ groupId }));
    for (const client of people) await client.chats.loaded;
    for (const chat of chats) await when(chat.messages, ({ length }) => length === 3);
    const [own] = people;
    const custom = { mood: 'good' };
    await chats[0]?.send(`@${bob.username} and @${cleo.username}`, { custom, silent: true });
    const { messageId } = await own.call('messageInGroup', { groupId, content: `@${bob.username}`, custom });
    await own.call('editMessage', { messageId, content: `@${cleo.username}`, custom: { mood: 'bad' } });
    const kept = await own.call('messageInGroup', { groupId, content: 'first', custom, replyTo: messageId });
    await own.call('editMessage', { messageId: kept.messageId, content: `to @${bob.username}` });
    await bob.client.done('forwardMessage', { groupId, messageId: kept.messageId });
    const forwarded = await own.call('forwardMessage', { groupId, messageId });
    await own.call('addReaction', { messageId, emoji: '❤' });
    await own.call('addReaction', { messageId, emoji: '👍' });
    await bob.client.done('addReaction', { messageId, emoji: '👍' });
    await bob.client.done('addReaction', { messageId, emoji: '☺️' });
    await own.call('removeReaction', { messageId, emoji: '❤️' });
    for (const chat of chats)
      await when(chat.messages, (messages) => messages.some(({ seq }) => seq === forwarded.seq));
    await expectFresh(ada, people[0], { groupId });
    await expectFresh(bob, people[1], { groupId });
  });

  it('has the system messages of a group as stored', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const client = typedClient(bob);
    await client.chats.loaded;
    await client.online();
    const { groupId } = await ada.client.done('newGroup', { groupName: 'Climbers', userIds: [bob.id] });
    const chat = client.chat({ groupId });
    await when(chat.messages, ({ length }) => length === 1);
    await ada.client.done('addUserInGroup', { groupId, userId: cleo.id });
    await ada.client.done('updateGroup', { groupId, groupName: 'Sailors', isPrivate: false });
    await ada.client.done('setMemberRole', { groupId, userId: bob.id, role: 'admin' });
    await client.call('updateGroup', { groupId, groupName: 'Divers' });
    await cleo.client.done('leaveGroup', { groupId });
    await cleo.client.done('joinGroup', { groupId });
    await client.call('removeUserFromGroup', { groupId, userId: cleo.id });
    await ada.client.done('leaveGroup', { groupId });
    await when(chat.messages, ({ length }) => length === 9);
    await expectFresh(bob, client, { groupId });
  });

  it('has the latest settings, from whichever device', async () => {
    const [ada, bob] = await newClients(2);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'Hi' });
    const late: (() => void)[] = [];
    const settings = ['muteChat', 'pinChat', 'archiveChat', 'markUnread', 'markRead'];
    // nodes that overtake each other
    const open = through((frame, pass) => {
      if (!('id' in frame) && settings.includes(frame.type ?? '')) late.push(pass);
      else pass();
    });
    const client = typedClient(bob, { open });
    await client.chats.loaded;
    await client.online();
    const chat = { receiverId: ada.id };
    for (const [type, name] of [
      ['muteChat', 'muted'],
      ['pinChat', 'pinned'],
      ['archiveChat', 'archived'],
    ] as const)
      for (const value of [true, false, true]) await bob.client.done(type, { ...chat, [name]: value });
    await bob.client.done('muteChat', { ...chat, muted: false });
    await bob.client.done('markUnread', chat);
    await bob.client.done('markRead', { ...chat, seq: 1 });
    await until(() => late.length === 12);
    for (const pass of late.reverse()) pass();
    await expectFresh(bob, client);
  });

  it('clears the mark as unread when the user writes, whatever was read before', async () => {
    const [ada, bob] = await newClients(2);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'Hi' });
    const network = holding('getChat');
    const client = typedClient(bob, { open: network.open });
    await client.chats.loaded;
    await client.online();
    network.hold();
    await bob.client.done('markUnread', { receiverId: ada.id });
    await network.held();
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'Hello' });
    await when(client.chats, ([chat]) => chat?.lastMessage.seq === 2);
    network.release();
    await expectFresh(bob, client);
  });

  it('requests the counts only when an edit may change them', async () => {
    const [ada, bob] = await newClients(2);
    let requests = 0;
    const open = (url: string, token: string) => {
      const socket = new WebSocket(url, ['auth', token]);
      const send = socket.send.bind(socket);
      socket.send = (frame: string) => {
        if (frame.includes('"getChat"')) requests++;
        send(frame);
      };
      return socket;
    };
    const client = typedClient(bob, { open });
    await client.chats.loaded;
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: '1' });
    await when(client.chats, ([chat]) => chat?.unreadCount === 1);
    const before = requests; // the chat is new
    for (let words = 2; words < 20; words++)
      await ada.client.done('editMessage', { messageId, content: `${words}` });
    await when(client.chats, ([chat]) => chat?.lastMessage.content === '19');
    expect(requests).to.equal(before);
    for (const content of [`@${bob.username}`, 'nobody']) {
      await ada.client.done('editMessage', { messageId, content });
      await when(client.chats, ([chat]) => chat?.mentionCount === (content === 'nobody' ? 0 : 1));
    }
    await expectFresh(bob, client);
  });

  it('shows the newest state of the newest message, in any order of arrival', async () => {
    const [ada, bob] = await newClients(2);
    const network = holding('getChat');
    const client = typedClient(bob, { open: network.open });
    await client.chats.loaded;
    await client.online();
    const pushes: string[] = [];
    client.on('push', ({ type }) => pushes.push(type));
    network.hold();
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'one' });
    await network.held();
    await ada.client.done('editMessage', { messageId, content: 'two' });
    await ada.client.done('addReaction', { messageId, emoji: '👍' });
    await until(() => pushes.length === 3);
    network.release();
    await when(client.chats, ([chat]) => chat?.lastMessage.version === 2);
    await expectFresh(bob, client, { receiverId: ada.id });
  });
});

describe('names in the typed client', () => {
  it('are the current names of the users', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob, cleo);
    const { messageId } = await cleo.client.done('messageInGroup', { groupId, content: 'Hi' });
    await ada.client.done('forwardMessage', { messageId, receiverId: bob.id });
    await cleo.client.done('privateMessage', { receiverId: bob.id, content: 'Hi' });
    const relay = await startRelay(server.url);
    const client = typedClient(bob, { url: relay.url });
    await client.chats.loaded;
    await client.online();
    const chats = [{ groupId }, { receiverId: ada.id }, { receiverId: cleo.id }];
    for (const chat of chats) await when(client.chat(chat).messages, ({ length }) => length > 0);
    const rename = async ({ token }: { readonly token: string }, username: string) =>
      expect(await http('PATCH', '/users/me', { token, body: { username } })).to.include({ status: 200 });
    await rename(cleo, `${cleo.username}-x`);
    await when(client.chats, (value) => value.some(({ name }) => name === `${cleo.username}-x`));
    await expectFresh(bob, client, ...chats);
    await relay.cut();
    await rename(cleo, `${cleo.username}-y`);
    await rename(bob, `${bob.username}-y`);
    await http('DELETE', '/users/me', { token: ada.token, body: { password: ada.password } });
    await relay.restore();
    await when(client.chats, (value) => value.some(({ name }) => name === 'Deleted user'));
    await expectFresh(bob, client, ...chats);
    await relay.cut();
  });
});

describe('the presence in the typed client', () => {
  it('is hidden during a block, and visible again after it', async () => {
    const [ada, bob] = await newUsers(2);
    const client = typedClient(ada);
    await bob.connect();
    const presence = client.presence(bob.id);
    await when(presence, (state) => state?.online);
    await client.call('blockUser', { userId: bob.id });
    await when(presence, (state) => state?.online === false);
    await client.call('unblockUser', { userId: bob.id });
    await when(presence, (state) => state?.online);
  });
});
