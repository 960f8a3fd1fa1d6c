import { expect } from 'chai';
import type { Client } from '../support/client.ts';
import { newClients, newGroup, newUser } from '../support/harness.ts';
import { until } from '../support/until.ts';
import { enter, eventually, messageIn, newWindow, sentTypesOf, windowOf, withBrowser } from './browser.ts';

/** Resolves once a word can be found, a moment after the message was sent. */
const isFound = (client: Client, query: string): Promise<void> =>
  until(async () => (await client.done('searchMessages', { query })).data.length > 0);

describe('the list of chats in the page', function () {
  this.timeout(120_000);
  withBrowser();

  it('finds messages and opens them, and mutes, pins and archives chats', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    await ada.client.done('messageInGroup', { groupId, content: 'the needle in the haystack' });
    for (let n = 0; n < 80; n++) await ada.client.done('messageInGroup', { groupId, content: `hay ${n}` });
    const page = await windowOf(bob);
    const row = page.getByRole('link', { name: /Climbers/ });
    await row.getByText('81 unread').waitFor({ state: 'attached' });
    expect(await page.title()).to.equal('(81) Parley');
    const found = page.getByRole('link', { name: /needle/ });
    await isFound(bob.client, 'needle');
    await page.getByRole('searchbox').fill('needle');
    await found.click();
    await eventually(() => messageIn(page, 'needle').isVisible(), true);
    await page.getByRole('button', { name: 'Mute this chat' }).click();
    await row.getByTitle('muted').waitFor();
    await page.getByRole('button', { name: 'Pin this chat' }).click();
    await row.getByTitle('pinned').waitFor();
    await page.getByRole('button', { name: 'Archive this chat' }).click();
    await row.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Archived (1)' }).click();
    await row.waitFor();
  });

  it('shows the last message in a line: by whom, or that it was deleted, or who types', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const page = await windowOf(ada);
    const line = page.locator('.row-message');
    await line.getByText(`${ada.username} added ${bob.username}`, { exact: true }).waitFor();
    await bob.client.done('messageInGroup', { groupId, content: 'Hello' });
    await line.getByText(`${bob.username}: Hello`).waitFor();
    const { messageId } = await ada.client.done('messageInGroup', { groupId, content: 'Hi' });
    await line.getByText('You: Hi').waitFor();
    expect(await page.locator('.row .ticks').count()).to.equal(0); // a group has many readers
    await ada.client.done('deleteMessage', { messageId });
    await line.getByText('Deleted message').waitFor();
    await bob.client.done('typing', { groupId, typing: true });
    await line.getByText(`${bob.username} typing…`).waitFor();
    await bob.client.done('typing', { groupId, typing: false });
    await line.getByText('Deleted message').waitFor();
  });

  it('shows mentions and the number of unread messages, or the mark as unread', async () => {
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const page = await windowOf(ada);
    const { seq } = await bob.client.done('messageInGroup', { groupId, content: `Hi @${ada.username}` });
    await page.getByRole('link', { name: /@ mentioned ?1 unread/ }).waitFor();
    await ada.client.done('markRead', { groupId, seq });
    await page.locator('.badge').first().waitFor({ state: 'detached' });
    await ada.client.done('markUnread', { groupId });
    await page.getByRole('link', { name: /marked as unread/ }).waitFor();
  });

  it('counts no muted chats in the title, and none after the logout', async () => {
    const [ada, bob, cleo] = await newClients(3);
    for (const { client } of [bob, cleo])
      await client.done('privateMessage', { receiverId: ada.id, content: 'Hi' });
    const page = await windowOf(ada);
    await page.waitForFunction(() => document.title === '(2) Parley');
    await ada.client.done('muteChat', { receiverId: bob.id, muted: true });
    await page.waitForFunction(() => document.title === '(1) Parley');
    await ada.client.done('endSession');
    await page.getByText('You were logged out').waitFor();
    await page.waitForFunction(() => document.title === 'Parley');
  });

  it('marks the chat that is open, and shows how far its last message has come', async () => {
    const [ada, bob, cleo] = await newClients(3);
    for (const { client } of [bob, cleo])
      await client.done('privateMessage', { receiverId: ada.id, content: 'Hi' });
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'an answer' });
    const page = await windowOf(ada, `#/user/${bob.id}`);
    const open = page.locator('.row[aria-current=page]');
    await eventually(() => open.locator('.row-name').allInnerTexts(), [bob.username]);
    await open.getByText(', online').waitFor({ state: 'attached' });
    await open.getByTitle('sent', { exact: true }).waitFor();
    await bob.client.done('markDelivered', { receiverId: ada.id, seq: 2 });
    await open.getByTitle('delivered', { exact: true }).waitFor();
    await bob.client.done('markRead', { receiverId: ada.id, seq: 2 });
    await open.getByTitle('read', { exact: true }).waitFor();
  });

  it('takes each setting of a chat back', async () => {
    const [ada, bob, cleo] = await newClients(3);
    for (const { client } of [bob, cleo])
      await client.done('privateMessage', { receiverId: ada.id, content: 'Hi' });
    const chat = { receiverId: bob.id };
    await ada.client.done('muteChat', { ...chat, muted: true });
    await ada.client.done('pinChat', { ...chat, pinned: true });
    await ada.client.done('archiveChat', { ...chat, archived: true });
    const page = await windowOf(ada);
    const names = () => page.locator('.chats .row-name').allInnerTexts();
    await eventually(names, [cleo.username]);
    await page.getByRole('button', { name: 'Archived (1)' }).click();
    await eventually(names, [bob.username]);
    await page.locator('.chats .row').click();
    for (const name of ['Mute', 'Pin', 'Archive'])
      await page.getByRole('button', { name: `${name} this chat`, pressed: true }).click();
    for (const name of ['Mute', 'Pin', 'Archive'])
      await page.getByRole('button', { name: `${name} this chat`, pressed: false }).waitFor();
    const { data } = await ada.client.done('getChat', chat);
    expect(data).to.include({ muted: false, pinned: false, archived: false });
    await page.getByRole('button', { name: 'Back to the chats' }).click();
    await eventually(async () => (await names()).length, 2);
  });

  it('finds chats by a part of their names in any case, and people with whom there is none', async () => {
    const [ada, bob, cleo] = await newClients(3);
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'Hi' });
    const page = await windowOf(ada);
    const section = (title: string) =>
      page
        .locator('section')
        .filter({ has: page.getByRole('heading', { name: title }) })
        .locator('.row-name')
        .allInnerTexts();
    await page.getByRole('searchbox').fill(bob.username.toUpperCase());
    await eventually(() => section('Chats'), [bob.username]);
    await page.getByRole('searchbox').fill(cleo.username);
    await eventually(async () => (await section('People')).includes(cleo.username), true);
    await page.getByRole('searchbox').fill(bob.username);
    await eventually(async () => (await section('People')).includes(cleo.username), false);
    expect(await section('People')).not.to.include(bob.username);
  });

  it('opens the chat with a person, in which there are no messages yet', async () => {
    const [ada, bob] = await newClients(2);
    const page = await windowOf(ada);
    await page.getByRole('button', { name: 'New chat or group' }).click();
    await page.getByLabel('Find a person').fill(bob.username);
    await page.getByRole('dialog').getByRole('button', { name: bob.username, exact: true }).click();
    await page.getByRole('button', { name: `About ${bob.username}` }).waitFor();
    expect(await page.getByRole('dialog').count()).to.equal(0);
    const empty = page.getByText('No messages yet.');
    await empty.waitFor();
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'Hi' });
    await empty.waitFor({ state: 'detached' });
  });

  it('finds words in a dialog, emphasises them, and opens the message beside the list of chats', async () => {
    const [ada, bob] = await newClients(2);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'the needle in the haystack' });
    await isFound(ada.client, 'needle');
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'another pin' });
    await isFound(ada.client, 'pin');
    const page = await windowOf(ada);
    await page.getByRole('searchbox').fill('pin');
    const received = page.getByRole('link').filter({ has: page.locator('mark', { hasText: 'pin' }) });
    expect(await received.getAttribute('href')).to.equal(`#/user/${bob.id}/2`);
    await page.getByRole('searchbox').fill('needle');
    const found = page.getByRole('link', { name: /haystack/ }).filter({ has: page.locator('mark') });
    await found.waitFor();
    expect(await found.locator('mark').allInnerTexts()).to.deep.equal(['needle']);
    expect(await found.locator('.row-name').innerText()).to.equal(bob.username);
    await found.click();
    await page.locator('.message.found').waitFor();
    expect(new URL(page.url()).hash).to.equal(`#/user/${bob.id}/1`);
    await page.locator('.chats').waitFor();
    expect(await page.getByRole('searchbox').inputValue()).to.equal('');
  });

  it('searches for a text once it is written', async () => {
    const page = await newWindow();
    const sent = sentTypesOf(page);
    const searches = () => sent.filter((type) => type === 'searchMessages').length;
    await page.clock.install();
    await enter(page, await newUser());
    await page.getByText('No chats yet').waitFor();
    await page.clock.pauseAt(Date.now() + 1_000);
    for (const text of ['w', 'wo', 'word']) {
      await page.getByRole('searchbox').fill(text);
      await page.clock.runFor(150);
    }
    expect(searches()).to.equal(0);
    await page.clock.runFor(1_000);
    await page.getByText('Nothing found').waitFor();
    expect(searches()).to.equal(1);
  });

  it('shows the results of the last search, even if those of an earlier one arrive after them', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const page = await newWindow();
    let release = () => {};
    let replies = 0;
    await page.routeWebSocket(/./, (socket) => {
      socket.connectToServer().onMessage((frame) => {
        const isFirst = JSON.parse(String(frame)).type === 'searchUsers' && ++replies === 1;
        if (isFirst) release = () => socket.send(frame);
        else socket.send(frame);
      });
    });
    await enter(page, ada);
    await page.getByRole('searchbox').fill(bob.username);
    await until(() => replies === 1);
    await page.getByRole('searchbox').fill('nobody has this name');
    await until(() => replies === 2);
    release();
    await cleo.client.done('privateMessage', { receiverId: ada.id, content: 'Hi' });
    await page.waitForFunction(() => document.title === '(1) Parley'); // the page has processed both
    expect(await page.getByRole('link', { name: bob.username }).count()).to.equal(0);
  });

  it('looks for messages on the next pages of the results while they are empty, up to ten', async () => {
    const [ada] = await newClients(1);
    await ada.client.done('privateMessage', { receiverId: ada.id, content: 'the needle in the haystack' });
    await isFound(ada.client, 'needle');
    const page = await newWindow();
    let [pages, empty] = [0, 1];
    await page.routeWebSocket(/./, (socket) => {
      const server = socket.connectToServer();
      socket.onMessage((frame) => server.send(String(frame).replace(',"cursor":"next"', '')));
      server.onMessage((frame) => {
        const reply = JSON.parse(String(frame));
        const isEmpty = reply.type === 'searchMessages' && ++pages <= empty;
        const params = { ...reply.params, data: [], nextCursor: 'next' };
        socket.send(isEmpty ? JSON.stringify({ ...reply, params }) : frame);
      });
    });
    await enter(page, ada);
    await page.getByRole('searchbox').fill('needle');
    const found = page.locator('mark', { hasText: 'needle' });
    await found.waitFor();
    expect(pages).to.equal(2);
    await found.click();
    await page.locator('.chat-header').getByText('Notes to yourself').waitFor();
    [pages, empty] = [0, 100];
    await page.getByRole('searchbox').fill('haystack');
    await page.getByText('Nothing found').waitFor();
    expect(pages).to.equal(10);
  });
});
