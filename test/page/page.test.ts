import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { http, newClients, newUser, server } from '../support/harness.ts';
import { startRelay } from '../support/relay.ts';
import { until } from '../support/until.ts';
import {
  enter,
  eventually,
  messageIn,
  newWindow,
  sendMessage,
  textsIn,
  windowOf,
  withBrowser,
} from './browser.ts';

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
      await page.getByLabel('Password').fill(' correct horse ');
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
    const body = { username: names[0], password: ' correct horse ' }; // as it was typed
    expect((await http('POST', '/auth/login', { body })).status).to.equal(200);
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
    expect(await messageIn(page, '2').getByRole('button').count()).to.equal(0); // there is nothing to act on
    await relay.restore();
    await messageIn(page, '2')
      .getByTitle(/^(sent|delivered)$/)
      .waitFor();
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

  it('reports a missing connection after a moment and until it is there, and no empty list before', async () => {
    const page = await newWindow();
    let held: (() => void)[] | undefined = [];
    let cut = async () => {};
    await page.routeWebSocket(/./, (socket) => {
      const target = socket.connectToServer();
      target.onMessage((frame) => {
        const pass = () => socket.send(frame);
        if (held) held.push(pass);
        else pass();
      });
      cut = async () => {
        await Promise.all([socket.close({ code: 1012 }), target.close()]);
      };
    });
    const release = () => {
      for (const pass of held ?? []) pass();
      held = undefined;
    };
    await page.clock.install();
    await enter(page, await newUser());
    const offline = page.getByText('No connection.');
    await offline.waitFor();
    expect(await page.getByText('No chats yet').count()).to.equal(0);
    release();
    await page.getByText('No chats yet').waitFor();
    await offline.waitFor({ state: 'detached' });
    await page.clock.pauseAt(Date.now() + 5_000);
    held = [];
    await cut();
    await page.clock.runFor(300);
    expect(await offline.count()).to.equal(0);
    await page.clock.runFor(700);
    await offline.waitFor();
    await until(() => held?.length !== 0);
    release();
    await offline.waitFor({ state: 'detached' }); // the clock of the page stands still
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
    // The keyboard of a phone would cover the messages.
    expect(await page.evaluate(() => document.activeElement?.tagName)).to.equal('BODY');
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
    await keyboard.press('ArrowDown');
    expect(await focused()).to.include('three!');
    await keyboard.press('ArrowUp');
    expect(await focused()).to.include('two');
    expect(await page.locator('.message[tabindex="0"]').count()).to.equal(1);
    await keyboard.press('Enter');
    await page.getByRole('menu').waitFor();
    expect(await focused()).to.equal('React with 👍');
    await keyboard.press('ArrowRight');
    await keyboard.press('Enter');
    await messageIn(page, 'two').getByRole('button', { name: '❤️, 1' }).waitFor();
    expect(await focused()).to.include('two');
    const { messageId } = (await ada.client.done('getMessages', { receiverId: bob.id, limit: 2 })).data[0];
    await ada.client.done('addReaction', { messageId, emoji: '❤️' });
    await messageIn(page, 'two').getByRole('button', { name: '❤️, 2' }).waitFor();
    await tabTo('❤️, 2');
    await keyboard.press('Enter'); // takes the own one back, and opens no menu
    await messageIn(page, 'two').getByRole('button', { name: '❤️, 1' }).waitFor();
    await tabTo('two', 'Shift+Tab');
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
});
