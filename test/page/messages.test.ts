import { expect } from 'chai';
import { newClients, newGroup, newUsers } from '../support/harness.ts';
import {
  choose,
  enter,
  eventually,
  messageIn,
  newWindow,
  openMenu,
  sendMessage,
  windowOf,
  withBrowser,
} from './browser.ts';

/** Keeps the number of listeners of the window and the document of a page in its variable `listeners`, by event. */
function countListeners(): void {
  const all = new Map<string, Set<unknown>>();
  const counts: Record<string, number> = {};
  Object.assign(globalThis, { listeners: counts });
  for (const name of ['addEventListener', 'removeEventListener'] as const) {
    const original = EventTarget.prototype[name];
    EventTarget.prototype[name] = function (type: string, listener: EventListener | null, options) {
      const target = this ?? globalThis;
      original.call(target, type, listener, options);
      if (target !== window && target !== document) return;
      const listeners = all.get(type) ?? new Set();
      all.set(type, listeners);
      if (name === 'addEventListener') listeners.add(listener);
      else listeners.delete(listener);
      counts[type] = listeners.size;
      if (listeners.size === 0) delete counts[type];
    };
  }
}

describe('the messages of a chat in the page', function () {
  this.timeout(120_000);
  withBrowser();

  it('shows replies, reactions, edits, deletions and pins to both users', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await windowOf(ada, `#/user/${bob.id}`), await windowOf(bob, `#/user/${ada.id}`)];
    await sendMessage(a, 'first');
    await messageIn(b, 'first').waitFor();
    expect(await messageIn(b, 'first').locator('.ticks').count()).to.equal(0);
    await choose(b, 'first', 'Reply');
    await b.locator('.intent').getByText(ada.username).waitFor();
    await b.keyboard.type('second'); // the field has the focus
    await b.keyboard.press('Enter');
    await messageIn(a, 'second').locator('.quote', { hasText: 'first' }).waitFor();
    expect(await b.locator('.intent').count()).to.equal(0);
    await choose(a, 'second', 'React with 🎉');
    await messageIn(b, 'second').getByRole('button', { name: '🎉, 1', pressed: false }).click();
    await messageIn(a, 'second').getByRole('button', { name: '🎉, 2', pressed: true }).click();
    await messageIn(b, 'second').getByRole('button', { name: '🎉, 1', pressed: true }).waitFor();
    await choose(b, 'second', 'Edit');
    await b.getByRole('textbox', { name: 'Edit the message' }).fill('third');
    await b.keyboard.press('Enter');
    await messageIn(a, 'third').getByText('edited').waitFor();
    await choose(b, 'third', 'Delete');
    await messageIn(a, 'Deleted message').waitFor();
    expect(await messageIn(a, 'Deleted message').getByText('edited').count()).to.equal(0);
    await choose(a, 'first', 'Pin');
    await messageIn(b, 'first').locator('.meta > .icon').waitFor();
    await choose(a, 'first', 'Unpin');
    await messageIn(b, 'first').locator('.meta > .icon').waitFor({ state: 'detached' });
  });

  it('have a menu with what the user may do', async () => {
    const [ada, bob] = await newClients(2);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'own' });
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'deleted' });
    await ada.client.done('deleteMessage', { messageId });
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'of Bob' });
    const page = await windowOf(ada, `#/user/${bob.id}`);
    const items = async (text: string) => {
      await openMenu(page, text);
      const names = await page.locator('.menu > [role=menuitem]').allInnerTexts();
      await page.keyboard.press('Escape');
      return names.map((name) => name.trim());
    };
    expect(await items('own')).to.deep.equal(['Reply', 'Copy', 'Edit', 'Pin', 'Delete']);
    expect(await items('of Bob')).to.deep.equal(['Reply', 'Copy', 'Pin']);
    expect(await messageIn(page, 'Deleted message').getByRole('button').count()).to.equal(0);
  });

  it('close their menu, which is within the window, at the Tab key, clicks and a scroll', async () => {
    const [ada, bob] = await newClients(2);
    for (let n = 1; n <= 40; n++)
      await ada.client.done('privateMessage', { receiverId: bob.id, content: `number ${n}.` });
    const page = await windowOf(bob, `#/user/${ada.id}`);
    const closings = [
      () => page.keyboard.press('Tab'),
      () => page.getByRole('heading', { name: 'Parley', level: 1 }).click(),
      () => page.getByRole('button', { name: 'Message actions', expanded: true }).click(),
      () => page.locator('.messages').evaluate((element) => element.scrollTo({ top: -200 })),
    ];
    for (const close of closings) {
      await openMenu(page, 'number 40.');
      const { y = 0, height = 0 } = (await page.getByRole('menu').boundingBox()) ?? {};
      expect([y >= 0, y + height <= 760]).to.deep.equal([true, true]);
      await close();
      await page.getByRole('menu').waitFor({ state: 'detached' });
    }
  });

  it('leave no listener behind when their menu and their chat are closed, nor the page after the logout', async () => {
    const [ada, bob] = await newClients(2);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'Hi' });
    const page = await newWindow();
    await page.addInitScript(countListeners);
    await enter(page, bob);
    const row = page.getByRole('link', { name: /Hi/ });
    await row.waitFor();
    const listeners = () =>
      page.evaluate(() => Object.entries(globalThis).find(([name]) => name === 'listeners'));
    const before = await listeners();
    await row.click();
    for (let times = 0; times < 2; times++) {
      await openMenu(page, 'Hi');
      await page.keyboard.press('Escape');
      await page.getByRole('menu').waitFor({ state: 'detached' });
    }
    await page.evaluate(() => location.assign('#/'));
    await page.getByText('Choose a chat').waitFor();
    await eventually(listeners, before);
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.locator('.buttons').getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('button', { name: 'Create account' }).waitFor();
    await eventually(listeners, ['listeners', {}]);
  });

  it('copy their text', async () => {
    const [ada, bob] = await newClients(2);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'a text' });
    const page = await windowOf(bob, `#/user/${ada.id}`, {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    await choose(page, 'a text', 'Copy');
    await eventually(() => page.evaluate(() => navigator.clipboard.readText()), 'a text');
  });

  it('show the error of an action until another one succeeds', async () => {
    const [ada, bob] = await newClients(2);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'Hi' });
    await ada.client.done('blockUser', { userId: bob.id });
    const page = await windowOf(bob, `#/user/${ada.id}`);
    await choose(page, 'Hi', 'React with 👍');
    await messageIn(page, 'Hi').getByRole('alert').waitFor();
    await ada.client.done('unblockUser', { userId: bob.id });
    await choose(page, 'Hi', 'React with 👍');
    await messageIn(page, 'Hi').getByRole('button', { name: '👍, 1' }).waitFor();
    await messageIn(page, 'Hi').getByRole('alert').waitFor({ state: 'detached' });
  });

  it('name their author once, the origin of a forwarded one, and hide a deleted original', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const groupId = await newGroup(ada.client, bob, cleo);
    const send = async (content: string, params: object = {}) =>
      (await ada.client.done('messageInGroup', { groupId, content, ...params })).messageId;
    const secret = await send('a secret');
    await send('a reply', { replyTo: secret });
    await ada.client.done('deleteMessage', { messageId: secret });
    await bob.client.done('forwardMessage', { groupId, messageId: await send('news') });
    const page = await windowOf(cleo, `#/group/${groupId}`);
    await eventually(() => page.locator('.author').allInnerTexts(), [ada.username, bob.username]);
    await eventually(() => page.locator('.forwarded').allInnerTexts(), [`Forwarded from ${ada.username}`]);
    await messageIn(page, 'a reply').locator('.quote', { hasText: 'Deleted message' }).waitFor();
    await openMenu(page, 'a reply');
    const items = await page.locator('.menu > [role=menuitem]').allInnerTexts();
    expect(items.map((name) => name.trim())).to.deep.equal(['Reply', 'Copy', 'Pin', 'Delete']);
    await page.keyboard.press('Escape');
    for (const { client } of [ada, bob]) await client.done('typing', { groupId, typing: true });
    await page.getByText(`${ada.username}, ${bob.username} are typing…`).waitFor();
    await page.getByRole('button', { name: 'About Climbers' }).getByText('3 members').waitFor();
    await ada.client.done('updateGroup', { groupId, groupName: 'Sailors' });
    const [event] = (await ada.client.done('getMessages', { groupId, limit: 1 })).data;
    const announced = page.locator('.conversation > .hidden[role=status]');
    await eventually(() => announced.textContent(), event.content);
  });

  it('are below the name of the other person, also before the first one, and what that person does', async () => {
    const [ada, bob] = await newClients(2);
    const page = await windowOf(ada, `#/user/${bob.id}`);
    const header = page.getByRole('button', { name: `About ${bob.username}` });
    await header.getByText('online').waitFor();
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'Hi' });
    await bob.client.done('typing', { receiverId: ada.id, typing: true });
    await header.getByText('typing…').waitFor();
    await page.getByRole('main').getByText(`${bob.username} is typing…`).waitFor();
    await bob.client.done('typing', { receiverId: ada.id, typing: false });
    await bob.client.close();
    await header.getByText('last seen just now').waitFor();
  });

  it('of somebody can be refused and permitted again', async () => {
    const [ada, bob] = await newClients(2);
    const send = { receiverId: bob.id, content: 'Hi' };
    const page = await windowOf(bob, `#/user/${ada.id}`);
    await page.getByRole('button', { name: `About ${ada.username}` }).click();
    await page.getByRole('button', { name: 'Block' }).click();
    await page.getByRole('button', { name: 'Unblock' }).waitFor();
    expect(await ada.client.refused('privateMessage', send)).to.equal('FORBIDDEN');
    await page.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: `About ${ada.username}` }).click();
    await page.getByRole('button', { name: 'Unblock' }).click();
    await page.getByRole('button', { name: 'Block', exact: true }).waitFor();
    await ada.client.done('privateMessage', send);
  });
});
