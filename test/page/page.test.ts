import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { connectAs, http, newClients, newGroup, newUser, newUsers, server } from '../support/harness.ts';
import { startRelay } from '../support/relay.ts';
import { choose, messageIn, newWindow, sendMessage, textsIn, windowOf, withBrowser } from './browser.ts';

/** Resolves once a page shows the expected state; fails with the state that it shows. */
async function eventually<Value>(read: () => Promise<Value>, expected: Value): Promise<void> {
  const deadline = Date.now() + 8_000;
  let value = await read();
  while (JSON.stringify(value) !== JSON.stringify(expected) && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    value = await read();
  }
  expect(value).to.deep.equal(expected);
}

/** Returns all that a page stores in the browser, as JSON. */
const storageOf = (page: Page): Promise<string> =>
  page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));

describe('the page in a browser', function () {
  this.timeout(120_000);
  withBrowser();

  it('leads two new users from registration to a conversation', async () => {
    const names = await Promise.all([newUser(), newUser()]).then((users) =>
      users.map(({ username }) => `${username}-x`),
    );
    const pages: Page[] = [];
    for (const name of names) {
      const page = await newWindow();
      await page.goto(server.url);
      await page.getByLabel('Email').fill(`${name}@example.com`);
      await page.getByLabel('Username').fill(name);
      await page.getByLabel('Password').fill('correct horse');
      await page.getByRole('button', { name: 'Create account' }).click();
      await page.getByText('No chats yet').waitFor();
      pages.push(page);
    }
    const [ada, bob] = pages as [Page, Page];
    await ada.getByRole('searchbox').fill(names[1] as string);
    await ada.getByRole('link', { name: names[1] as string }).click();
    await sendMessage(ada, 'Hello 👋');
    await messageIn(ada, 'Hello').getByTitle('delivered').waitFor();
    await bob.getByRole('link', { name: /1 unread/ }).click();
    await messageIn(bob, 'Hello').waitFor();
    await messageIn(ada, 'Hello').getByTitle('read').waitFor();
    await bob.getByRole('textbox', { name: 'Write a message' }).pressSequentially('Hi');
    await ada.getByRole('main').getByText('is typing').waitFor();
    await bob.keyboard.press('Enter');
    await messageIn(ada, 'Hi').waitFor();
    expect(await textsIn(ada)).to.deep.equal(['Hello 👋', 'Hi']);
    await ada.locator('.chat-header').getByText('online').waitFor();
  });

  it('shows the problem with an account, and logs a registered user in', async () => {
    const user = await newUser();
    const page = await newWindow();
    await page.goto(server.url);
    await page.getByLabel('Email').fill('new@example.com');
    await page.getByLabel('Username').fill(user.username);
    await page.getByLabel('Password').fill('correct horse');
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByRole('alert').getByText('This username is taken.').waitFor();
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByLabel('Username or email').fill(user.email);
    await page.getByLabel('Password').fill('wrong horse');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').getByText('Unknown account or wrong password.').waitFor();
    await page.getByLabel('Password').fill(user.password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('No chats yet').waitFor();
    await page.reload();
    await page.getByText('No chats yet').waitFor();
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByRole('button', { name: 'Log out', exact: true }).click();
    await page.getByRole('button', { name: 'Create account' }).waitFor();
  });

  it('revokes the token at the logout, in every window', async () => {
    const user = await newUser();
    const [page, other] = [await windowOf(user), await windowOf(user)];
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.locator('.buttons').getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('button', { name: 'Create account' }).waitFor();
    expect(await page.getByRole('status').count()).to.equal(0);
    await other.getByText('You were logged out').waitFor();
    for (const window of [page, other]) expect(await storageOf(window)).to.equal('{}');
    expect(await connectAs(user.token).catch(({ status }) => status)).to.equal(401);
    expect((await http('PATCH', '/users/me', { token: user.token, body: {} })).status).to.equal(401);
  });

  it('removes only its own token at the logout, and a reload shows the login form', async () => {
    const [ada, bob] = await newUsers(2);
    const page = await newWindow();
    const setToken = (token: string) =>
      page.evaluate((value) => localStorage.setItem('parley.token', value), token);
    const logOut = async () => {
      await page.getByRole('button', { name: 'Settings' }).click();
      await page.getByRole('button', { name: 'Log out', exact: true }).click();
      await page.getByRole('button', { name: 'Create account' }).waitFor();
    };
    await page.goto(server.url);
    await setToken(ada.token);
    await page.reload();
    await page.getByText('No chats yet').waitFor();
    await setToken(bob.token); // another window of the browser logged in
    await logOut();
    expect(await storageOf(page)).to.equal(JSON.stringify({ 'parley.token': bob.token }));
    await page.reload();
    await page.getByText('No chats yet').waitFor();
    await logOut();
    expect(await storageOf(page)).to.equal('{}');
    await page.reload();
    await page.getByRole('button', { name: 'Create account' }).waitFor();
    expect(await page.getByRole('status').count()).to.equal(0);
  });

  it('reports that it could not revoke the token because the server is unreachable', async () => {
    const relay = await startRelay(server.url);
    const user = await newUser();
    const page = await windowOf(user, '', { url: relay.url });
    await page.getByRole('button', { name: 'Settings' }).click();
    await relay.cut();
    await page.getByText('No connection').waitFor();
    await page.getByRole('button', { name: 'Log out', exact: true }).click();
    await page.getByRole('status').getByText('the server could not be reached').waitFor();
    expect(await storageOf(page)).to.equal('{}');
    await connectAs(user.token);
    await page.close();
  });

  it('shows notes to oneself in two windows of one browser', async () => {
    const [ada, bob] = await newUsers(2);
    const first = await windowOf(ada);
    const [second] = await Promise.all([
      first.context().waitForEvent('page'),
      first.getByRole('link', { name: 'open a second window' }).click(),
    ]);
    await second.getByRole('button', { name: 'Log in' }).click();
    await second.getByLabel('Username or email').fill(bob.username);
    await second.getByLabel('Password').fill(bob.password);
    await second.getByRole('button', { name: 'Log in' }).click();
    await second.getByText('No chats yet').waitFor();
    await first.goto(`${server.url}/#/user/${bob.id}`);
    await sendMessage(first, 'Hello, me');
    await second.getByRole('link', { name: /Hello, me/ }).waitFor();
    await first.reload();
    await messageIn(first, 'Hello, me').waitFor();
  });

  it('recovers by itself from a lost connection, without loss, repeats or a change of the order', async () => {
    const relay = await startRelay(server.url);
    const [ada, bob] = await newClients(2);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: '0' });
    const page = await windowOf(bob, `#/user/${ada.id}`, { url: relay.url });
    await messageIn(page, '0').waitFor();
    await relay.cut();
    await page.getByText('No connection').waitFor();
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'while you were away' });
    await sendMessage(page, '1');
    await sendMessage(page, '2');
    await messageIn(page, '2').getByTitle('sending').waitFor();
    await relay.restore();
    await eventually(() => textsIn(page), ['0', 'while you were away', '1', '2']);
    await page.getByText('No connection').waitFor({ state: 'detached' });
    const { data } = await ada.client.done('getMessages', { receiverId: bob.id, limit: 10 });
    expect(data.map(({ content }: { content: string }) => content)).to.deep.equal([
      '0',
      'while you were away',
      '1',
      '2',
    ]);
    await page.close();
    await relay.cut();
  });

  it('returns to the conversation after a reload, and pages upwards', async () => {
    const [ada, bob] = await newClients(2);
    for (let n = 1; n <= 130; n++)
      await ada.client.done('privateMessage', { receiverId: bob.id, content: `number ${n}.` });
    const page = await windowOf(bob, `#/user/${ada.id}`);
    await page.getByText('New messages').waitFor({ state: 'attached' });
    await messageIn(page, 'number 130.').waitFor();
    await page.reload();
    await messageIn(page, 'number 130.').waitFor();
    expect((await textsIn(page)).length).to.be.within(50, 100);
    for (let turn = 0; turn < 20 && (await messageIn(page, 'number 1.').count()) === 0; turn++) {
      await page.locator('.messages').hover();
      await page.mouse.wheel(0, -3_000);
      await page.waitForTimeout(100);
    }
    expect(await textsIn(page)).to.deep.equal(Array.from({ length: 130 }, (_, n) => `number ${n + 1}.`));
    await page.getByRole('button', { name: 'Jump to the newest message' }).click();
    await eventually(() => messageIn(page, 'number 130.').isVisible(), true);
  });

  it('shows replies, reactions, edits and deletions to both users', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await windowOf(ada, `#/user/${bob.id}`), await windowOf(bob, `#/user/${ada.id}`)];
    await sendMessage(a, 'first');
    await messageIn(b, 'first').waitFor();
    await choose(b, 'first', 'Reply');
    await sendMessage(b, 'second');
    await messageIn(a, 'second').locator('.quote', { hasText: 'first' }).waitFor();
    await choose(a, 'second', 'React with 🎉');
    await messageIn(b, 'second').getByRole('button', { name: '🎉, 1' }).click();
    await messageIn(a, 'second').getByRole('button', { name: '🎉, 2' }).click();
    await messageIn(b, 'second').getByRole('button', { name: '🎉, 1' }).waitFor();
    await choose(b, 'second', 'Edit');
    await b.getByRole('textbox', { name: 'Edit the message' }).fill('third');
    await b.keyboard.press('Enter');
    await messageIn(a, 'third').getByText('edited').waitFor();
    await choose(b, 'third', 'Delete');
    await messageIn(a, 'Deleted message').waitFor();
    await choose(a, 'first', 'Pin');
    await messageIn(b, 'first').locator('.meta > .icon').waitFor();
  });

  it('opens with a truncated invite link too, and reports the problem', async () => {
    const page = await windowOf(await newUser());
    await page.goto(`${server.url}/#/join/abc%`);
    await page.reload();
    await page.getByRole('button', { name: 'Join the group' }).click();
    await page.getByRole('alert').waitFor();
  });

  it('creates groups, assigns roles, and lets users join by invite or by search', async () => {
    const [ada, bob, cleo] = await newUsers(3);
    const page = await windowOf(ada);
    const name = `Climbers ${ada.id}`;
    await page.getByRole('button', { name: 'New chat or group' }).click();
    await page.getByRole('button', { name: 'New group' }).click();
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.getByLabel('Add people').fill(bob.username);
    await page.getByRole('dialog').getByRole('button', { name: bob.username, exact: true }).click();
    await page.getByRole('button', { name: 'Create group' }).click();
    await page.getByText('2 members').waitFor();
    await page.getByRole('button', { name: `About ${name}` }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('combobox', { name: `Change ${bob.username}` }).selectOption('Make admin');
    await dialog.getByText('admin', { exact: true }).waitFor();
    await dialog.getByRole('button', { name: 'New invite link' }).click();
    const link = await dialog.getByRole('textbox', { name: 'Invite link' }).inputValue();
    await dialog.getByText('Settings').click();
    await dialog.getByLabel('Public').check();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText('Public · 2 members').waitFor();

    const guest = await windowOf(cleo, new URL(link).hash);
    await guest.getByRole('button', { name: 'Join the group' }).click();
    await sendMessage(guest, 'I am in');
    await dialog.getByText('Public · 3 members').waitFor();
    await page.keyboard.press('Escape');
    await messageIn(page, 'I am in').waitFor();
    await page.getByText(`${cleo.username} joined`).waitFor();

    await sendMessage(page, 'Welcome');
    await messageIn(guest, 'Welcome').waitFor();
    await choose(page, 'Welcome', 'Read by');
    const readers = page.getByRole('dialog', { name: 'Read by' }).getByRole('listitem');
    await readers
      .filter({ hasText: cleo.username })
      .getByText('read', { exact: true })
      .waitFor({ state: 'attached' });
    await readers
      .filter({ hasText: bob.username })
      .getByText('sent', { exact: true })
      .waitFor({ state: 'attached' });
    await page.keyboard.press('Escape');

    const stranger = await windowOf(await newUser());
    await stranger.getByRole('button', { name: 'New chat or group' }).click();
    await stranger.getByRole('button', { name: 'Public groups' }).click();
    await stranger.getByLabel('Find a group').fill(name);
    await stranger.getByRole('button', { name: new RegExp(name) }).click();
    await stranger.getByText('4 members').waitFor();
    await stranger.getByRole('button', { name: `About ${name}` }).click();
    await stranger.getByRole('button', { name: 'Leave' }).click();
    await stranger.getByText('No chats yet').waitFor();
    await page.getByText('3 members').waitFor();
  });

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
    for (let turn = 0; turn < 10 && (await found.count()) === 0; turn++) {
      await page.getByRole('searchbox').fill(turn % 2 === 0 ? 'needle' : 'needles');
      await page.waitForTimeout(700); // a message can be found shortly after it was sent
    }
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

  it('changes the profile and the password, and logs other devices out', async () => {
    const [ada, bob] = await newUsers(2);
    const page = await windowOf(ada);
    const other = await windowOf(ada);
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByLabel('Display name').fill('Ada Lovelace');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Saved' }).waitFor();
    await page
      .getByRole('listitem')
      .filter({ hasText: 'since' })
      .getByRole('button', { name: 'Log out' })
      .click();
    await other.getByText('You were logged out').waitFor();
    await other.context().close();
    await page.getByText('Change password').click();
    await page.getByLabel('Current password').fill(ada.password);
    await page.getByLabel('New password').fill('another horse');
    await page.getByRole('button', { name: 'Set new password' }).click();
    await page.getByText('Changed.').waitFor();
    await page.keyboard.press('Escape');
    const guest = await windowOf(bob, `#/user/${ada.id}`);
    await sendMessage(guest, 'Still there?');
    await page.getByRole('link', { name: /Still there\?/ }).waitFor();
    await guest.getByRole('button', { name: `About ${ada.username}` }).click();
    await guest.getByText('Ada Lovelace').waitFor();
    await guest.getByRole('button', { name: 'Block' }).click();
    await guest.getByRole('button', { name: 'Unblock' }).waitFor();
  });

  it('shows every content as plain text', async () => {
    const [ada, bob] = await newClients(2);
    const content = '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>';
    await ada.client.done('privateMessage', { receiverId: bob.id, content });
    const page = await windowOf(bob, `#/user/${ada.id}`);
    await eventually(() => textsIn(page), [content]);
    expect(await page.title()).to.match(/Parley$/);
  });

  it('fits a phone: shows one view at a time, and nothing overflows the screen', async () => {
    const [ada, bob] = await newClients(2);
    const long = `https://example.com/${'a'.repeat(200)}`;
    for (const content of ['Hi', long])
      await ada.client.done('privateMessage', { receiverId: bob.id, content });
    const page = await windowOf(bob, '', {
      viewport: { width: 360, height: 640 },
      isMobile: true,
      hasTouch: true,
    });
    await page.getByRole('link', { name: /unread/ }).tap();
    await messageIn(page, 'Hi').waitFor();
    expect(await page.getByRole('navigation', { name: 'Chats' }).isVisible()).to.equal(false);
    await sendMessage(page, 'from my phone');
    await messageIn(page, 'from my phone').getByTitle('sent', { exact: true }).waitFor();
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width).to.equal(360);
    await page.getByRole('link', { name: 'Back to the chats' }).tap();
    await page.getByRole('navigation', { name: 'Chats' }).waitFor();
    expect(await page.locator('.conversation').count()).to.equal(0);
  });

  it('can be used by keyboard alone', async () => {
    const [ada, bob] = await newClients(2);
    for (const content of ['one', 'two'])
      await ada.client.done('privateMessage', { receiverId: bob.id, content });
    const page = await windowOf(bob);
    const { keyboard } = page;
    const focused = () =>
      page.evaluate(() => {
        const { activeElement: element, body } = document;
        return element === body ? '' : (element?.getAttribute('aria-label') ?? element?.textContent ?? '');
      });
    /** Presses Tab until an element is focused; fails after a number of attempts. */
    const tabTo = async (text: string, key = 'Tab') => {
      for (let presses = 0; presses < 30 && !(await focused()).includes(text); presses++)
        await keyboard.press(key);
      expect(await focused()).to.include(text);
    };
    await page.getByRole('link', { name: /two/ }).waitFor();
    await tabTo(ada.username);
    await keyboard.press('Enter');
    await messageIn(page, 'two').waitFor();
    await tabTo('Write a message');
    await keyboard.type('three');
    await keyboard.press('Enter');
    await messageIn(page, 'three').getByTitle('sent', { exact: true }).waitFor();
    await keyboard.press('ArrowUp'); // edits the last message
    await eventually(() => page.getByRole('textbox', { name: 'Edit the message' }).inputValue(), 'three');
    await keyboard.press('End');
    await keyboard.type('!');
    await keyboard.press('Enter');
    await messageIn(page, 'three!').getByText('edited').waitFor();
    await tabTo('You: three!', 'Shift+Tab');
    await keyboard.press('ArrowUp');
    expect(await focused()).to.include('two');
    await keyboard.press('Enter');
    await page.getByRole('menu').waitFor();
    expect(await focused()).to.equal('React with 👍');
    await keyboard.press('ArrowRight');
    await keyboard.press('Enter');
    await messageIn(page, 'two').getByRole('button', { name: '❤️, 1' }).waitFor();
    expect(await focused()).to.include('two');
    await keyboard.press('Enter');
    await keyboard.press('Escape');
    await page.getByRole('menu').waitFor({ state: 'detached' });
    await tabTo('Settings', 'Shift+Tab');
    await keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Settings' }).waitFor();
    await keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await focused()).to.equal('Settings');
  });

  it('passes the axe checks in light and dark mode, on a desktop and on a phone', async () => {
    const axe = await readFile('node_modules/axe-core/axe.min.js', 'utf8');
    const check = async (page: Page, state: string) => {
      await page.evaluate(axe);
      const violations = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as { axe: typeof import('axe-core') };
        const { violations } = await axe.run();
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
      });
      expect(violations, state).to.deep.equal([]);
    };
    const [ada, bob] = await newClients(2);
    const groupId = await newGroup(ada.client, bob);
    const { messageId } = await ada.client.done('messageInGroup', { groupId, content: 'Hello' });
    await bob.client.done('messageInGroup', { groupId, content: 'Hi', replyTo: messageId });
    await bob.client.done('addReaction', { messageId, emoji: '👍' });
    await ada.client.done('privateMessage', { receiverId: bob.id, content: `@${bob.username} see you` });
    const phone = { viewport: { width: 390, height: 780 } };
    for (const [name, options] of [
      ['day', { colorScheme: 'light' }],
      ['night', { colorScheme: 'dark' }],
      ['phone', { colorScheme: 'light', ...phone }],
      ['phone at night', { colorScheme: 'dark', ...phone }],
    ] as const) {
      const outside = await newWindow(options);
      await outside.goto(server.url);
      await outside.getByRole('button', { name: 'Create account' }).waitFor();
      await check(outside, `${name}: the start page`);
      const page = await windowOf(bob, '', { ...options, reducedMotion: 'reduce' });
      await page.getByRole('link', { name: /Climbers/ }).waitFor();
      await check(page, `${name}: the list`);
      await page.getByRole('button', { name: 'New chat or group' }).click();
      for (const tab of ['New group', 'Public groups', 'Person']) {
        await page.getByRole('button', { name: tab, exact: true }).click();
        await check(page, `${name}: ${tab}`);
      }
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Settings' }).click();
      await page.getByLabel('Display name').waitFor();
      await page.getByText('Delete account').click();
      await check(page, `${name}: settings`);
      await page.keyboard.press('Escape');
      await page.getByRole('link', { name: /Climbers/ }).click();
      await messageIn(page, 'Hello').waitFor();
      await check(page, `${name}: a group`);
      await messageIn(page, 'Hello').hover();
      await messageIn(page, 'Hello').getByRole('button', { name: 'Message actions' }).click();
      await check(page, `${name}: the menu`);
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'About Climbers' }).click();
      await page.getByRole('dialog').getByText('owner').waitFor();
      await check(page, `${name}: about the group`);
    }
  });
});
