import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { newClients } from '../support/harness.ts';
import { eventually, messageIn, sendMessage, textsIn, windowOf, withBrowser } from './browser.ts';

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

  it('moves again when the open chat is marked as unread', async () => {
    const { ada, bob } = await openDialog(1);
    await bob.client.rest();
    await bob.client.done('markUnread', { receiverId: ada.id });
    expect((await bob.client.push('markRead')).params.seq).to.equal(1);
    expect((await bob.client.done('getChat', { receiverId: ada.id })).data.markedUnread).to.equal(false);
  });

  it('returns to the conversation after a reload, and pages upwards', async () => {
    const [ada, bob] = await newClients(2);
    const send = async (n: number, params: object = {}): Promise<number> =>
      (await ada.client.done('privateMessage', { receiverId: bob.id, content: `number ${n}.`, ...params }))
        .messageId;
    const replyTo = await send(1);
    for (let n = 2; n < 130; n++) await send(n);
    await send(130, { replyTo });
    const page = await windowOf(bob, `#/user/${ada.id}`);
    await page.getByText('New messages').waitFor({ state: 'attached' });
    await messageIn(page, 'number 130.').waitFor();
    await page.reload();
    await messageIn(page, 'number 130.').waitFor();
    expect((await textsIn(page)).length).to.be.within(50, 100);
    const quote = messageIn(page, 'number 130.').locator('.quote');
    expect(await quote.innerText()).to.match(/^Reply\s+to an earlier message$/);
    const count = () => page.locator('.message').count();
    for (let shown = await count(); shown < 130; shown = await count()) {
      await page.locator('.messages').evaluate((element) => element.scrollTo({ top: -element.scrollHeight }));
      await page.waitForFunction((n) => document.querySelectorAll('.message').length > n, shown);
    }
    expect(await textsIn(page)).to.deep.equal(Array.from({ length: 130 }, (_, n) => `number ${n + 1}.`));
    expect(await quote.innerText()).to.include('number 1.');
    await page.getByRole('button', { name: 'Jump to the newest message' }).click();
    await eventually(() => messageIn(page, 'number 130.').isVisible(), true);
  });

  it('was before the messages below the divider, which stays there while more arrive', async () => {
    const [ada, bob] = await newClients(2);
    const send = (content: string) => ada.client.done('privateMessage', { receiverId: bob.id, content });
    for (const content of ['old', 'new']) await send(content);
    await bob.client.done('markRead', { receiverId: ada.id, seq: 1 });
    const page = await windowOf(bob, `#/user/${ada.id}`);
    const rows = () => page.locator('.divider.unread, .message .text').allInnerTexts();
    await eventually(rows, ['old', 'New messages', 'new']);
    await send('newer');
    await eventually(rows, ['old', 'New messages', 'new', 'newer']);
  });
});

describe('the messages in sight in the page', function () {
  this.timeout(120_000);
  withBrowser();

  it('are the newest ones again when the user sends a message', async () => {
    const [ada, bob] = await newClients(2);
    for (let n = 1; n <= 40; n++)
      await ada.client.done('privateMessage', { receiverId: bob.id, content: `number ${n}.` });
    const page = await windowOf(bob, `#/user/${ada.id}`);
    await messageIn(page, 'number 40.').waitFor();
    await page.locator('.messages').evaluate((element) => element.scrollTo({ top: -1_000 }));
    const jump = page.getByRole('button', { name: 'Jump to the newest message' });
    await jump.waitFor();
    await sendMessage(page, 'an answer');
    await jump.waitFor({ state: 'detached' });
    await page.waitForFunction(() => document.querySelector('.messages')?.scrollTop === 0);
  });

  it('are announced to screen readers if they are new and of others', async () => {
    const [ada, bob, cleo] = await newClients(3);
    const send = (content: string) => ada.client.done('privateMessage', { receiverId: bob.id, content });
    await send('before');
    await bob.client.done('privateMessage', { receiverId: cleo.id, content: 'own alone' });
    const page = await windowOf(bob, `#/user/${ada.id}`);
    const announced = page.locator('.conversation > .hidden[role=status]');
    await messageIn(page, 'before').waitFor();
    expect(await announced.textContent()).to.equal('');
    await sendMessage(page, 'own');
    await messageIn(page, 'own').waitFor();
    expect(await announced.textContent()).to.equal('');
    await send('after');
    await eventually(() => announced.textContent(), `${ada.username}: after`);
    await page.evaluate((hash) => location.assign(hash), `#/user/${cleo.id}`);
    await messageIn(page, 'own alone').waitFor();
    expect(await announced.textContent()).to.equal('');
    await cleo.client.done('privateMessage', { receiverId: bob.id, content: 'the first' });
    await eventually(() => announced.textContent(), `${cleo.username}: the first`);
  });

  it('are those around the original after a click on a quote', async () => {
    const [ada, bob] = await newClients(2);
    const send = (content: string) => ada.client.done('privateMessage', { receiverId: bob.id, content });
    const { messageId } = await send('the original');
    for (let n = 1; n <= 40; n++) await send(`number ${n}.`);
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'a reply', replyTo: messageId });
    const page = await windowOf(bob, `#/user/${ada.id}`);
    await messageIn(page, 'a reply').locator('.quote', { hasText: 'the original' }).click();
    await page.locator('.message.found').filter({ hasText: 'the original' }).waitFor();
    await page.waitForFunction(() => (document.querySelector('.messages')?.scrollTop ?? 0) < -500);
    await page.locator('.message.found').waitFor({ state: 'detached' });
  });
});
