import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { newClients } from '../support/harness.ts';
import { messageIn, windowOf, withBrowser } from './browser.ts';

/** Sets the visibility that a page sees; Playwright itself keeps all windows visible. */
const setVisible = (page: Page, isVisible: boolean) =>
  page.evaluate(
    (state) => {
      Object.defineProperty(document, 'visibilityState', { configurable: true, value: state });
      document.dispatchEvent(new Event('visibilitychange'));
    },
    isVisible ? 'visible' : 'hidden',
  );

describe('the read position in the page', function () {
  this.timeout(120_000);
  withBrowser();

  /** Two users with a dialog that is open in a window of the second. */
  async function openDialog(messages: number) {
    const [ada, bob] = await newClients(2);
    const send = (content: string) => ada.client.done('privateMessage', { receiverId: bob.id, content });
    for (let n = 1; n <= messages; n++) await send(`number ${n}.`);
    const page = await windowOf(bob, `#/user/${ada.id}`);
    await messageIn(page, `number ${messages}.`).waitFor();
    expect((await ada.client.push('markRead')).params.seq).to.equal(messages);
    /** The pushes to the first user until all commands of the page so far took effect. */
    const pushes = async () => {
      await page.getByRole('textbox', { name: 'Write a message' }).fill('typing');
      await ada.client.push('typing'); // the commands of a connection run in order
      return (await ada.client.rest()).map(({ type }) => type);
    };
    return { ada, bob, page, send, pushes };
  }

  it('stays while the window is hidden, and moves to the newest message when it is visible again', async () => {
    const { ada, bob, page, send, pushes } = await openDialog(1);
    await setVisible(page, false);
    await send('number 2.');
    await send('number 3.');
    await messageIn(page, 'number 3.').waitFor();
    expect(await pushes()).not.to.include('markRead');
    expect((await bob.client.done('getChat', { receiverId: ada.id })).data.unreadCount).to.equal(2);
    await setVisible(page, true);
    expect((await ada.client.push('markRead')).params.seq).to.equal(3);
    await page.waitForFunction(() => document.title === 'Parley');
  });

  it('stays while older messages are in sight, and moves with the jump to the newest', async () => {
    const { ada, page, send, pushes } = await openDialog(40);
    await page.locator('.messages').evaluate((element) => element.scrollTo({ top: -1_000 }));
    const jump = page.getByRole('button', { name: 'Jump to the newest message' });
    await jump.waitFor();
    await send('number 41.');
    await messageIn(page, 'number 41.').waitFor();
    expect(await pushes()).not.to.include('markRead');
    await jump.click();
    expect((await ada.client.push('markRead')).params.seq).to.equal(41);
  });
});
