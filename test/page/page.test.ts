import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { newClients, newGroup, newUser, server } from '../support/harness.ts';
import { startRelay } from '../support/relay.ts';
import { eventually, messageIn, newWindow, sendMessage, textsIn, windowOf, withBrowser } from './browser.ts';

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
      if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe);
      const violations = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as { axe: typeof import('axe-core') };
        // At night only the colours differ.
        const isNight = matchMedia('(prefers-color-scheme: dark)').matches;
        const { violations } = await axe.run(isNight ? { runOnly: ['color-contrast'] } : {});
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
